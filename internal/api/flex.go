package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// A slot is a place in a response type together with its true type on the
// wire. It reads whatever shape the marketplace may give that type and writes
// the one shape that the reference's samples show.
type slot interface {
	// read takes what parse yields. null and "" are the zero value.
	read(v any) error
	appendJSON(b []byte) []byte
}

// blank is what stands for "no value" in an answer.
func blank(v any) bool { return v == nil || v == "" }

// digits is the text of a number that came as a number or as a string.
func digits(v any) (string, error) {
	switch t := v.(type) {
	case json.Number:
		return t.String(), nil
	case string:
		return strings.TrimSpace(t), nil
	}
	return "", errors.New("it is not a number")
}

// whole is an int64: 7, "7" or 7.0.
type whole int64

func (w *whole) read(v any) error {
	*w = 0
	if blank(v) {
		return nil
	}
	s, err := digits(v)
	if err != nil {
		return err
	}
	if before, zeros, ok := strings.Cut(s, "."); ok && zeros != "" && strings.Trim(zeros, "0") == "" {
		s = before
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", clip(s))
	}
	*w = whole(n)
	return nil
}

func (w *whole) appendJSON(b []byte) []byte { return strconv.AppendInt(b, int64(*w), 10) }

// count is a whole number that is counted or switched over.
type count int

func (c *count) read(v any) error {
	var w whole
	err := w.read(v)
	*c = count(w)
	return err
}

func (c *count) appendJSON(b []byte) []byte { return strconv.AppendInt(b, int64(*c), 10) }

// flag is 0, 1, "0", "1", a boolean or a boolean's word. It is written as 0 or 1.
type flag bool

func (f *flag) read(v any) error {
	*f = false
	if yes, ok := v.(bool); ok {
		*f = flag(yes)
		return nil
	}
	if blank(v) {
		return nil
	}
	s, err := digits(v)
	if err != nil {
		return err
	}
	switch strings.ToLower(s) {
	case "1", "true":
		*f = true
	case "0", "false":
	default:
		return fmt.Errorf("%q is neither 0 nor 1", clip(s))
	}
	return nil
}

func (f *flag) appendJSON(b []byte) []byte {
	if *f {
		return append(b, '1')
	}
	return append(b, '0')
}

// text is a string. Numbers give their digits, and what nests its JSON.
type text string

func (t *text) read(v any) error {
	switch s := v.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(s)
	default:
		*t = text(appendValue(nil, s))
	}
	return nil
}

func (t *text) appendJSON(b []byte) []byte { return appendString(b, string(*t)) }

// dollars is an amount by its digits. An exponent is worked out. More than six
// decimals are an error, unless they are what a binary fraction of 16 digits or
// more leaves behind, such as 0.22750000000000001. It is written as a number.
type dollars money.USD

func (d *dollars) read(v any) error {
	*d = 0
	if blank(v) {
		return nil
	}
	s, err := digits(v)
	if err != nil {
		return err
	}
	amount, err := money.Parse(s)
	if err != nil {
		if plain, ok := plainDecimal(s); ok {
			amount, err = money.Parse(plain)
		}
	}
	*d = dollars(amount)
	return err
}

// plainDecimal writes a number without its exponent and without the noise of a
// binary fraction; false where that is no exact amount of micro-dollars.
func plainDecimal(s string) (string, bool) {
	const longest, exactDigits = 40, 15
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if power, err := strconv.Atoi(exponent); len(s) > longest || exponent != "" && (err != nil || power < -longest || power > longest) {
		return "", false
	}
	exact, ok := new(big.Rat).SetString(s)
	if !ok || strings.ContainsAny(s, "/_x") {
		return "", false
	}
	plain := exact.FloatString(money.Places)
	near, _ := new(big.Rat).SetString(plain)
	off := near.Sub(near, exact)
	if off.Sign() == 0 {
		return plain, true
	}
	noise := strings.Count(mantissa, "") - 1 - strings.Count(mantissa, ".") - strings.Count(mantissa, "-")
	share := new(big.Rat).Mul(off.Abs(off), big.NewRat(1_000_000_000_000_000, 1))
	return plain, noise > exactDigits && share.Cmp(exact.Abs(exact)) <= 0
}

func (d *dollars) appendJSON(b []byte) []byte { return append(b, money.USD(*d).String()...) }

// instant reads seconds since the Unix epoch, ISO 8601, or the form of SQL in
// UTC. 0 is the zero time, as in "started": 0.
func instant(v any) (time.Time, error) {
	if blank(v) {
		return time.Time{}, nil
	}
	s, err := digits(v)
	if err != nil {
		return time.Time{}, err
	}
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return fromUnix(seconds)
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 {
			return t.UTC().Truncate(time.Microsecond), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", clip(s))
}

func fromUnix(seconds int64) (time.Time, error) {
	const year9999 = 253402300799
	if seconds == 0 {
		return time.Time{}, nil
	}
	if seconds < 0 || seconds > year9999 {
		return time.Time{}, fmt.Errorf("%d is not a time in seconds", seconds)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// unixTime is written as seconds since the Unix epoch.
type unixTime time.Time

func (u *unixTime) read(v any) error {
	t, err := instant(v)
	if t.Unix() <= 0 {
		t = time.Time{}
	}
	*u = unixTime(t.Truncate(time.Second))
	return err
}

func (u *unixTime) appendJSON(b []byte) []byte {
	t := time.Time(*u)
	if t.IsZero() {
		return append(b, '0')
	}
	return strconv.AppendInt(b, t.Unix(), 10)
}

// isoTime is written as the samples do, in UTC with microseconds.
type isoTime time.Time

func (i *isoTime) read(v any) error {
	t, err := instant(v)
	*i = isoTime(t)
	return err
}

func (i *isoTime) appendJSON(b []byte) []byte {
	t := time.Time(*i)
	if t.IsZero() {
		return append(b, "null"...)
	}
	return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05.000000Z"`)
}

// clip keeps a hostile text from filling an error.
func clip(s string) string {
	const most = 40
	if s = clean(s); len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
