package sandbox

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// encoder writes JSON by hand, because answers must be able to have habits
// that encoding/json rightly lacks, and their keys in the reference's order.
type encoder struct {
	buf    []byte
	habits Habits
	// first is set where no comma is due; keyed after a key.
	first bool
	keyed bool
}

func newEncoder(h Habits) *encoder {
	return &encoder{buf: make([]byte, 0, 512), habits: h, first: true}
}

// before puts the comma that the next value or key needs.
func (e *encoder) before() {
	if e.keyed {
		e.keyed = false
		return
	}
	if !e.first {
		e.buf = append(e.buf, ',')
	}
	e.first = false
}

func (e *encoder) open(bracket byte) {
	e.before()
	e.buf = append(e.buf, bracket)
	e.first = true
}

func (e *encoder) close(bracket byte) {
	if bracket == '}' && e.habits.TrailingCommas && !e.first {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, bracket)
	e.first = false
}

func (e *encoder) key(name string) *encoder {
	e.before()
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
	e.keyed = true
	return e
}

// number writes digits, quoted if that is the habit.
func (e *encoder) number(digits string) {
	e.before()
	if e.habits.NumbersAsStrings {
		e.buf = append(e.buf, '"')
		e.buf = append(e.buf, digits...)
		e.buf = append(e.buf, '"')
		return
	}
	e.buf = append(e.buf, digits...)
}

func (e *encoder) int(n int64)        { e.number(strconv.FormatInt(n, 10)) }
func (e *encoder) usd(a money.USD)    { e.number(a.String()) }
func (e *encoder) stamp(t time.Time)  { e.str(t.UTC().Format("2006-01-02T15:04:05.000000Z")) }
func (e *encoder) flag(on bool)       { e.int(flagDigit(on)) }
func (e *encoder) strOrNull(s string) { e.optional(s, s != "") }
func (e *encoder) null()              { e.optional("", false) }
func (e *encoder) done() []byte       { return e.buf }
func (e *encoder) optional(s string, is bool) {
	if is || e.habits.NullAsEmpty {
		e.str(s)
		return
	}
	e.before()
	e.buf = append(e.buf, "null"...)
}

func flagDigit(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// unix writes seconds; the zero time is 0.
func (e *encoder) unix(t time.Time) {
	if t.IsZero() {
		e.int(0)
		return
	}
	e.int(t.Unix())
}

func (e *encoder) str(s string) {
	e.before()
	if !plain(s) {
		if quoted, err := json.Marshal(s); err == nil {
			e.buf = append(e.buf, quoted...)
		}
		return
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, '"')
}

// plain tells whether a text needs no escape.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (e *encoder) strs(list []string) {
	e.open('[')
	for _, s := range list {
		e.str(s)
	}
	e.close(']')
}

// list writes an array as the habits want it.
func (e *encoder) list(n int, row func(i int)) {
	if e.habits.WrapLists {
		e.open('{')
		e.key("data")
		defer e.close('}')
	}
	e.open('[')
	for i := range n {
		row(i)
	}
	e.close(']')
}
