package campaigns

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written like Go's, plus d for 24 hours:
// "90s", "1h30m", "7d", "1d12h".
type Duration time.Duration

// ParseDuration reads a non-negative duration. Days come first.
func ParseDuration(s string) (Duration, error) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		days, rest = "", s
	}
	var total time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as 90s, 6h or 7d", s)
		}
		total = time.Duration(n) * 24 * time.Hour
	}
	if rest != "" || !found {
		d, err := time.ParseDuration(rest)
		if rest == "0" {
			d, err = 0, nil
		}
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q is not a duration such as 90s, 6h or 7d", s)
		}
		total += d
	}
	if total < 0 {
		return 0, fmt.Errorf("%q is too long", s)
	}
	return Duration(total), nil
}

// String writes whole days as d and the rest like Go.
func (d Duration) String() string {
	t := time.Duration(d)
	const day = 24 * time.Hour
	if t < day {
		return t.String()
	}
	s := strconv.FormatInt(int64(t/day), 10) + "d"
	if r := t % day; r != 0 {
		s += r.String()
	}
	return s
}

// MarshalText writes the duration as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the duration as ParseDuration does.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
