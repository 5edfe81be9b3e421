package sandbox

import (
	"sync/atomic"
	"time"
)

// ScaledClock starts at start and then runs scale times as fast as real time,
// so that at 3600 a simulated day takes 24 seconds. It reads the real clock.
func ScaledClock(start time.Time, scale float64) func() time.Time {
	began := time.Now()
	return func() time.Time {
		return start.Add(time.Duration(float64(time.Since(began)) * scale))
	}
}

// clock is the configured clock, moved ahead by what Advance asked for.
type clock struct {
	now   func() time.Time
	ahead atomic.Int64
}

func (c *clock) read() time.Time {
	return c.now().Add(time.Duration(c.ahead.Load())).UTC()
}
