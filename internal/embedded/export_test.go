package embedded

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// CheckVersion opens checkVersion to tests.
var CheckVersion = checkVersion

// NewClientLog opens the logger of go-redis to tests.
func NewClientLog(log *slog.Logger, now func() time.Time) interface {
	Printf(ctx context.Context, format string, v ...any)
} {
	return &clientLog{log: log, now: now, kinds: map[string]*kind{}}
}

// ChildLog is the log of a redis-server, and what to read of it afterwards.
type ChildLog struct{ inner *childLog }

// NewChildLog returns one that runs already.
func NewChildLog(log *slog.Logger) ChildLog {
	return ChildLog{&childLog{log: log, phase: running}}
}

// Writer is where the redis-server prints.
func (c ChildLog) Writer() io.Writer { return c.inner }

// LastWords are the last warnings.
func (c ChildLog) LastWords() string { return c.inner.lastWords() }
