// Package span reads and writes lengths of time as specs have them: Go's
// notation plus d for 24 hours, such as "90s", "1h30m", "7d" and "1d12h".
package span

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Day is 24 hours, whatever the clocks of a place do on it.
const Day = 24 * time.Hour

// Parse reads a length of time that is not negative. Days come first; "0"
// needs no unit.
func Parse(s string) (time.Duration, error) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		days, rest = "", s
	}
	var total time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, syntax(s)
		}
		total = time.Duration(n) * Day
	}
	if rest != "" || !found {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return 0, syntax(s)
		}
		total += d
	}
	if total < 0 {
		return 0, fmt.Errorf("%q is too long", clip(s))
	}
	return total, nil
}

// Format writes whole days as d and the rest like Go.
func Format(t time.Duration) string {
	if t < Day {
		return t.String()
	}
	s := strconv.FormatInt(int64(t/Day), 10) + "d"
	if r := t % Day; r != 0 {
		s += r.String()
	}
	return s
}

// Rough is Format to the minute, or to the second below one.
func Rough(t time.Duration) string {
	if t >= time.Minute {
		return Format(t.Round(time.Minute))
	}
	return Format(t.Round(time.Second))
}

func syntax(s string) error {
	return fmt.Errorf("%q is not a duration such as 90s, 6h or 7d", clip(s))
}

// clip keeps a hostile text from filling an error message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
