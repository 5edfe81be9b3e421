package sandbox

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// rateLimit counts requests in fixed windows, as Laravel's throttle does: a
// window begins with the first request after the last one ended.
type rateLimit struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	began time.Time
	taken int
}

// take is 0 where the request may pass, else how long the window still lasts.
func (l *rateLimit) take(now time.Time) time.Duration {
	if l.most <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.began) >= l.window {
		l.began, l.taken = now, 0
	}
	if l.taken == l.most {
		return l.began.Add(l.window).Sub(now)
	}
	l.taken++
	return 0
}

// tooMany answers 429 and says when to come again, in whole seconds rounded up.
func (x *exchange) tooMany(wait time.Duration) {
	x.retryAfter(wait)
	if x.s.limit.most > 0 {
		x.w.Header().Set("X-RateLimit-Limit", strconv.Itoa(x.s.limit.most))
		x.w.Header().Set("X-RateLimit-Remaining", "0")
	}
	x.send(refuse(429, "Too Many Attempts."))
}

func (x *exchange) retryAfter(wait time.Duration) {
	seconds := int64(math.Ceil(wait.Seconds()))
	value := strconv.FormatInt(seconds, 10)
	if x.s.cfg.RetryDate {
		at := x.s.cfg.Wall().Add(time.Duration(seconds) * time.Second)
		value = at.UTC().Format(http.TimeFormat)
	}
	x.w.Header().Set("Retry-After", value)
}
