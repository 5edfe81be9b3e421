// Package money holds exact amounts of US dollars.
//
// The marketplace prices in dollars with up to six decimals, so an amount is a
// count of millionths of a dollar in an int64. No float is involved anywhere:
// text is parsed digit by digit, and what does not fit is an error, never
// rounded.
package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// USD is an amount in millionths of a US dollar: 4_875_000 is 4.875 dollars.
type USD int64

// Places is how many decimals of a dollar an amount can hold.
const Places = 6

// Dollar is one US dollar.
const Dollar USD = 1_000_000

// Max is the largest amount that Parse accepts: nine million dollars. It
// leaves room to add up millions of such amounts' fees without overflow and
// refuses numbers that are surely a mistake.
const Max USD = 9_000_000 * Dollar

// Errors that say what is wrong with the text of an amount.
var (
	ErrSyntax    = errors.New("not a decimal amount of dollars such as 0.05")
	ErrPrecision = errors.New("more than 6 decimals")
	ErrRange     = errors.New("beyond 9000000 dollars")
)

// Parse reads a plain decimal such as "4.875", "-0.05" or "100.000000". Signs,
// digits and one point are all it takes: no exponent, no grouping, no currency
// sign. More than six decimals are accepted only where the rest are zeros.
func Parse(s string) (USD, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if (whole == "" && frac == "") || (point && frac == "") {
		return 0, fmt.Errorf("%q: %w", clip(s), ErrSyntax)
	}
	if !allDigits(whole) || !allDigits(frac) {
		return 0, fmt.Errorf("%q: %w", clip(s), ErrSyntax)
	}
	if len(frac) > Places {
		if strings.Trim(frac[Places:], "0") != "" {
			return 0, fmt.Errorf("%q: %w", clip(s), ErrPrecision)
		}
		frac = frac[:Places]
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > 7 {
		return 0, fmt.Errorf("%q: %w", clip(s), ErrRange)
	}
	frac += strings.Repeat("0", Places-len(frac))
	n, err := strconv.ParseInt("0"+whole+frac, 10, 64)
	if err != nil || USD(n) > Max {
		return 0, fmt.Errorf("%q: %w", clip(s), ErrRange)
	}
	if negative {
		n = -n
	}
	return USD(n), nil
}

// MustParse is Parse for amounts written in source code; it panics on others.
func MustParse(s string) USD {
	a, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return a
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// clip keeps a hostile text from filling an error message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// String is the shortest exact decimal: "4.875", "-0.05", "60".
func (a USD) String() string {
	sign := ""
	u := uint64(a)
	if a < 0 {
		sign, u = "-", uint64(-a)
	}
	whole, frac := u/uint64(Dollar), u%uint64(Dollar)
	if frac == 0 {
		return sign + strconv.FormatUint(whole, 10)
	}
	digits := strings.TrimRight(fmt.Sprintf("%0*d", Places, frac), "0")
	return sign + strconv.FormatUint(whole, 10) + "." + digits
}

// MarshalJSON writes the amount as a JSON string of its exact decimal.
func (a USD) MarshalJSON() ([]byte, error) {
	return []byte(`"` + a.String() + `"`), nil
}

// UnmarshalJSON reads a JSON string or number by its digits.
func (a *USD) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(s) > 1 && s[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := Parse(s)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// MarshalYAML writes the amount as its exact decimal.
func (a USD) MarshalYAML() (any, error) { return a.String(), nil }

// Times is a*n, or ErrRange where it does not fit.
func (a USD) Times(n int64) (USD, error) {
	neg := (a < 0) != (n < 0)
	hi, lo := bits.Mul64(magnitude(int64(a)), magnitude(n))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, fmt.Errorf("%s x %d: %w", a, n, ErrRange)
	}
	if neg {
		return -USD(lo), nil
	}
	return USD(lo), nil
}

// Share is a*num/den, rounded away from zero so that a share of a cost is
// never told too small. den must be positive.
func (a USD) Share(num, den int64) (USD, error) {
	neg := (a < 0) != (num < 0)
	hi, lo := bits.Mul64(magnitude(int64(a)), magnitude(num))
	if den <= 0 || hi >= uint64(den) {
		return 0, fmt.Errorf("%s x %d / %d: %w", a, num, den, ErrRange)
	}
	q, r := bits.Div64(hi, lo, uint64(den))
	if r != 0 {
		q++
	}
	if q > math.MaxInt64 {
		return 0, fmt.Errorf("%s x %d / %d: %w", a, num, den, ErrRange)
	}
	if neg {
		return -USD(q), nil
	}
	return USD(q), nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}
