package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// quietFor is how long a message of go-redis is not repeated. During an outage
// it would say the same several times a second.
const quietFor = 30 * time.Second

// LogClient sends what every go-redis client of this process has to say to log,
// each kind of message at most once in 30 seconds, with the count of those left
// out. go-redis has one logger for a process, so a program calls this once.
func LogClient(log *slog.Logger, now func() time.Time) {
	redis.SetLogger(&clientLog{log: log, now: now, kinds: map[string]*kind{}})
}

// clientLog is the logger that go-redis calls.
type clientLog struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	kinds map[string]*kind
}

// kind is the record of the messages of one format.
type kind struct {
	last    time.Time
	omitted int
}

// Printf takes the messages of go-redis; the format is what makes them alike.
func (c *clientLog) Printf(ctx context.Context, format string, v ...any) {
	omitted, due := c.due(format)
	if !due {
		return
	}
	attrs := []slog.Attr{}
	if omitted > 0 {
		attrs = append(attrs, slog.Int("omitted", omitted))
	}
	c.log.LogAttrs(ctx, slog.LevelWarn, "redis client: "+fmt.Sprintf(format, v...), attrs...)
}

// due counts a message and tells whether to print it.
func (c *clientLog) due(format string) (omitted int, due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kinds[format]
	if k == nil {
		k = &kind{}
		c.kinds[format] = k
	}
	now := c.now()
	if !k.last.IsZero() && now.Sub(k.last) < quietFor {
		k.omitted++
		return 0, false
	}
	omitted = k.omitted
	k.last, k.omitted = now, 0
	return omitted, true
}
