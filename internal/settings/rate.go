package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RateLimit is Count requests in each Per. The zero value is no limit.
type RateLimit struct {
	Count int
	Per   time.Duration
}

// units are the periods that a limit may be given in.
var units = []struct {
	letter string
	per    time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}}

// ParseRateLimit reads "N/s", "N/m", "N/h" or "off", where N is a whole number
// from 1 to 1,000,000.
func ParseRateLimit(text string) (RateLimit, error) {
	if text == "off" {
		return RateLimit{}, nil
	}
	count, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(count, 10, 32)
	if err == nil && n >= 1 && n <= 1_000_000 {
		for _, u := range units {
			if u.letter == unit {
				return RateLimit{Count: int(n), Per: u.per}, nil
			}
		}
	}
	return RateLimit{}, fmt.Errorf("%q is no rate: give a whole number and a unit, such as 1/s, 90/m or 2000/h, or off", text)
}

// Off reports whether there is no limit.
func (r RateLimit) Off() bool { return r.Count == 0 }

// String is the form that ParseRateLimit reads.
func (r RateLimit) String() string {
	for _, u := range units {
		if u.per == r.Per && !r.Off() {
			return strconv.Itoa(r.Count) + "/" + u.letter
		}
	}
	return "off"
}

// Interval is the time between two requests; 0 where there is no limit.
func (r RateLimit) Interval() time.Duration {
	if r.Off() {
		return 0
	}
	return r.Per / time.Duration(r.Count)
}
