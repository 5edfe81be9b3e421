// Package limiter paces the requests of all processes together, so that the
// marketplace sees one well-behaved client.
package limiter

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed reserve.lua
var reserveLua string

//go:embed penalty.lua
var penaltyLua string

// key holds the limit; its hash tag is the journal's.
const key = "cr:{main}:limit"

// Limiter hands out permits for requests. It is safe for concurrent use.
type Limiter struct {
	rdb      redis.UniversalClient
	interval time.Duration
	reserve  *redis.Script
	penalty  *redis.Script

	mu      sync.Mutex
	urgent  []*waiter
	patient []*waiter
	pumping bool
}

type waiter struct {
	granted chan error
	gone    bool
}

// New returns a limiter that lets one request pass in each interval, all
// processes together. An interval of 0 or less sets no limit.
func New(rdb redis.UniversalClient, interval time.Duration) *Limiter {
	return &Limiter{
		rdb: rdb, interval: interval,
		reserve: redis.NewScript(reserveLua), penalty: redis.NewScript(penaltyLua),
	}
}

type urgentKey struct{}

// Urgent marks requests that go ahead of others: those that stop spending.
func Urgent(ctx context.Context) context.Context {
	return context.WithValue(ctx, urgentKey{}, true)
}

// Wait returns once a request may be made, or the context's error.
func (l *Limiter) Wait(ctx context.Context) error {
	if l.interval <= 0 {
		return ctx.Err()
	}
	w := &waiter{granted: make(chan error, 1)}
	l.enqueue(ctx, w)
	select {
	case err := <-w.granted:
		return err
	case <-ctx.Done():
		l.mu.Lock()
		w.gone = true
		l.mu.Unlock()
		return ctx.Err()
	}
}

func (l *Limiter) enqueue(ctx context.Context, w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if urgent, _ := ctx.Value(urgentKey{}).(bool); urgent {
		l.urgent = append(l.urgent, w)
	} else {
		l.patient = append(l.patient, w)
	}
	if !l.pumping {
		l.pumping = true
		go l.pump()
	}
}

// pump reserves one moment after the other and gives each to whoever is first
// in line when it comes, so that an urgent request waits for one moment at most.
func (l *Limiter) pump() {
	for {
		if !l.waiting() {
			return
		}
		wait, err := l.next()
		if err == nil && wait > 0 {
			<-time.After(wait)
		}
		if w := l.pop(); w != nil {
			w.granted <- err
		}
	}
}

// waiting drops those who gave up and tells whether anyone is left; if not,
// the pump has ended by the time it returns.
func (l *Limiter) waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.urgent, l.patient = present(l.urgent), present(l.patient)
	l.pumping = len(l.urgent)+len(l.patient) > 0
	return l.pumping
}

func present(line []*waiter) []*waiter {
	for len(line) > 0 && line[0].gone {
		line = line[1:]
	}
	return line
}

func (l *Limiter) pop() *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range []*[]*waiter{&l.urgent, &l.patient} {
		*line = present(*line)
		if len(*line) > 0 {
			w := (*line)[0]
			*line = (*line)[1:]
			return w
		}
	}
	return nil
}

// reserveTimeout bounds one look at Redis.
const reserveTimeout = 5 * time.Second

func (l *Limiter) next() (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), reserveTimeout)
	defer cancel()
	text, err := l.reserve.Run(ctx, l.rdb, []string{key}, l.interval.Microseconds()).Text()
	if err != nil {
		return 0, fmt.Errorf("rate limit: %w", err)
	}
	us, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("rate limit: %w", err)
	}
	return time.Duration(us) * time.Microsecond, nil
}

// defaultPenalty is how long to be quiet after a 429 that does not say.
const defaultPenalty = 10 * time.Second

// Refused tells that the marketplace answered 429; after is its Retry-After, 0
// where it gave none. All processes are quiet for that long and slower for some
// minutes after.
func (l *Limiter) Refused(ctx context.Context, after time.Duration) error {
	if l.interval <= 0 {
		return nil
	}
	if after <= 0 {
		after = min(defaultPenalty, 10*l.interval)
	}
	if err := l.penalty.Run(ctx, l.rdb, []string{key}, after.Microseconds()).Err(); err != nil {
		return fmt.Errorf("rate limit: %w", err)
	}
	return nil
}
