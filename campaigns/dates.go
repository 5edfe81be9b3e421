package campaigns

import (
	"fmt"
	"strings"
	"time"
)

// DateRange is the days from First to Last, both included, as YYYY-MM-DD. It
// is written "2026-12-25", or "2026-12-24..2026-12-31" for more than one day.
type DateRange struct {
	First, Last string
}

// ParseDateRange reads one day or a range of days.
func ParseDateRange(s string) (DateRange, error) {
	first, last, isRange := strings.Cut(s, "..")
	if !isRange {
		last = first
	}
	for _, day := range []string{first, last} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return DateRange{}, fmt.Errorf(
				"%q is not a date such as 2026-12-25 or a range such as 2026-12-24..2026-12-31", clip(s))
		}
	}
	if first < "2000" || last >= "3000" {
		return DateRange{}, fmt.Errorf("%q is not in the years 2000 to 2999", s)
	}
	if last < first {
		return DateRange{}, fmt.Errorf("%q ends before it begins", s)
	}
	return DateRange{first, last}, nil
}

// Contains tells whether a day, as YYYY-MM-DD, is in the range.
func (r DateRange) Contains(day string) bool { return r.First <= day && day <= r.Last }

// String writes the range as ParseDateRange reads it.
func (r DateRange) String() string {
	if r.First == r.Last {
		return r.First
	}
	return r.First + ".." + r.Last
}

// MarshalText writes the range as String does.
func (r DateRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the range as ParseDateRange does.
func (r *DateRange) UnmarshalText(b []byte) error {
	v, err := ParseDateRange(string(b))
	if err != nil {
		return err
	}
	*r = v
	return nil
}
