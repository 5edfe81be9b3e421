package executor

import (
	"fmt"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

// breaker keeps a marketplace that is down, or a key that it does not take,
// from being asked a thousand times: after a few failures in a row one probe
// goes out at a time, at growing distances, and all other work waits without
// using up attempts. Each process has one for reads and one for changes, since
// a marketplace may still answer the one and fail at the other.
type breaker struct {
	now    func() time.Time
	jitter func(time.Duration) time.Duration

	mu       sync.Mutex
	failures int
	opened   bool
	opens    int
	probing  bool
	until    time.Time
	why      string
}

const (
	// breakAfter is how many failures in a row open the breaker that no request
	// gets past: no connection, a key that is not taken.
	breakAfter = 3
	// breakAfterDoubts is the same for answers that are in doubt: one of them
	// may be about its own request alone, and so may a few.
	breakAfterDoubts = 5
	firstBreak       = 2 * time.Second
	maxBreak         = 30 * time.Second
)

func newBreaker(now func() time.Time, jitter func(time.Duration) time.Duration) *breaker {
	return &breaker{now: now, jitter: jitter}
}

// threshold is how many failures of a reason open the breaker; 0: it tells
// nothing of the marketplace as a whole.
func threshold(r api.Reason) int {
	switch r {
	case api.ReasonUnauthorized, api.ReasonUnreachable:
		return breakAfter
	case api.ReasonServer, api.ReasonTimeout, api.ReasonBroken, api.ReasonUnreadable, api.ReasonRedirected, api.ReasonUnexpected:
		return breakAfterDoubts
	}
	return 0
}

// enter asks for leave to make a request. It returns how long to wait, or 0 and
// what is to be called once the request was made or given up. While the breaker
// is open the first caller after its pause is the probe, and nobody else gets
// past before the probe has an outcome.
func (b *breaker) enter() (leave func(), wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.opened {
		return func() {}, 0
	}
	if wait := b.until.Sub(b.now()); wait > 0 {
		return nil, wait + b.jitter(b.span())
	}
	if b.probing {
		return nil, b.span() + b.jitter(b.span())
	}
	b.probing = true
	return b.leave, 0
}

// leave lets another one probe, where the probe made no request at all.
func (b *breaker) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

func (b *breaker) span() time.Duration {
	return min(firstBreak<<min(max(b.opens-1, 0), 5), maxBreak)
}

// failure counts a failure and tells whether it is the one that opened the
// breaker. The marketplace's own wish for a pause is heeded where it is longer.
func (b *breaker) failure(err *api.Error) bool {
	most := threshold(err.Reason)
	if most == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	was := b.opened
	if !was && b.failures < most {
		return false
	}
	if was && !b.probing {
		return false // one that was on its way when the breaker opened
	}
	b.opened, b.probing = true, false
	b.opens++
	b.until = b.now().Add(max(b.span(), err.RetryAfter))
	b.why = fmt.Sprintf("the marketplace failed %d times in a row; one request at a time finds out whether it is back: %v", b.failures, err)
	return !was
}

// success closes the breaker and tells whether it was open.
func (b *breaker) success() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.opened
	b.failures, b.opens, b.opened, b.probing = 0, 0, false, false
	return was
}

// isOpen tells whether requests are held back.
func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened
}

func (b *breaker) reason() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why
}
