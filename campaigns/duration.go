package campaigns

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/span"
)

// Duration is a time.Duration that is written like Go's, plus d for 24 hours:
// "90s", "1h30m", "7d", "1d12h".
type Duration time.Duration

// ParseDuration reads a non-negative duration. Days come first.
func ParseDuration(s string) (Duration, error) {
	d, err := span.Parse(s)
	return Duration(d), err
}

// String writes whole days as d and the rest like Go.
func (d Duration) String() string { return span.Format(time.Duration(d)) }

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
