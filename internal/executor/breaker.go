package executor

import (
	"sync"
	"time"
)

// breaker keeps a marketplace that is down, or a key that it does not take,
// from being asked a thousand times: after a few failures in a row one probe
// goes out at a time, at growing distances, and all other work waits without
// using up attempts.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int
	until    time.Time
	why      string
}

const (
	breakAfter = 3
	firstBreak = 2 * time.Second
	maxBreak   = 30 * time.Second
)

func newBreaker(now func() time.Time) *breaker { return &breaker{now: now} }

// open is how long to wait, or 0 where a request may go out. The first caller
// after the wait is the probe; those behind it wait for its outcome.
func (b *breaker) open() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return 0
	}
	now := b.now()
	if wait := b.until.Sub(now); wait > 0 {
		return wait
	}
	b.until = now.Add(b.span())
	return 0
}

func (b *breaker) span() time.Duration {
	return min(firstBreak<<min(b.failures-breakAfter, 5), maxBreak)
}

// failure counts a failure and tells whether it is the one that opened the
// breaker.
func (b *breaker) failure(err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.why = err.Error()
	if b.failures >= breakAfter {
		b.until = b.now().Add(b.span())
	}
	return b.failures == breakAfter
}

// success closes the breaker and tells whether it was open.
func (b *breaker) success() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.failures >= breakAfter
	b.failures = 0
	return was
}

func (b *breaker) reason() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why
}
