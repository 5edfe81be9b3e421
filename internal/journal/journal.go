package journal

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed *.lua
var sources embed.FS

// ErrFenced is returned to a scheduler whose lease another one has taken over.
var ErrFenced = errors.New("another runner has taken over the schedule")

// ErrMoved is returned where an occurrence was planned by someone else meanwhile.
var ErrMoved = errors.New("the action's watermark has moved")

// ErrNotFound is returned for what the journal does not hold.
var ErrNotFound = errors.New("not found")

// writeTimeout bounds one pipeline of scripts. It is generous: giving up on a
// write that a stalled Redis may still carry out helps nobody.
const writeTimeout = 10 * time.Second

// maxBatch is how many scripts travel in one pipeline.
const maxBatch = 256

// Journal keeps operations, budgets, jobs and campaigns in Redis. It is safe
// for concurrent use, and any number of processes may share one Redis.
type Journal struct {
	rdb  redis.UniversalClient
	keys keyspace

	scripts map[string]*redis.Script

	mu      sync.Mutex
	pending []*call
	flying  bool
	trail   trail
}

// Open returns a journal on a client, which must not retry by itself
// (MaxRetries -1): a script whose answer got lost is repeated here, knowingly.
func Open(rdb redis.UniversalClient) (*Journal, error) {
	scripts, err := parsed()
	if err != nil {
		return nil, err
	}
	return &Journal{rdb: rdb, keys: defaultPrefix, scripts: scripts}, nil
}

// parsed are the scripts by name, read once.
var parsed = sync.OnceValues(func() (map[string]*redis.Script, error) {
	scripts := map[string]*redis.Script{}
	common, err := sources.ReadFile("common.lua")
	if err != nil {
		return nil, err
	}
	files, err := sources.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		body, err := sources.ReadFile(f.Name())
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(f.Name(), ".lua")
		scripts[name] = redis.NewScript(string(common) + "\n" + string(body))
	}
	return scripts, nil
})

// Ping tells whether Redis answers.
func (j *Journal) Ping(ctx context.Context) error {
	if err := j.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis does not answer: %w", err)
	}
	return nil
}

// call is one script on its way to Redis.
type call struct {
	script *redis.Script
	args   []any
	done   chan struct{}
	out    []string
	err    error
}

// run executes a script in the next pipeline. Callers at the same time share a
// pipeline, and so one fsync of Redis. An answer that got lost is asked for
// again: every script returns its stored result when repeated.
func (j *Journal) run(ctx context.Context, script string, args ...any) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var err error
	for range 2 {
		c := &call{script: j.scripts[script], args: args, done: make(chan struct{})}
		j.submit(c)
		select {
		case <-c.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("journal: %w", ctx.Err())
		}
		if c.err == nil {
			return c.out, nil
		}
		err = c.err
		if !lost(err) {
			break
		}
	}
	return nil, fmt.Errorf("journal: %w", err)
}

// lost tells an answer that did not arrive from one that Redis gave.
func lost(err error) bool {
	var answered redis.Error
	return !errors.As(err, &answered)
}

// submit queues a call. The first caller of a quiet moment carries the
// pipeline; those who come while it travels form the next.
func (j *Journal) submit(c *call) {
	j.mu.Lock()
	j.pending = append(j.pending, c)
	lead := !j.flying
	j.flying = true
	j.mu.Unlock()
	if lead {
		go j.fly()
	}
}

func (j *Journal) fly() {
	for {
		j.mu.Lock()
		batch := j.pending
		if len(batch) > maxBatch {
			batch = batch[:maxBatch:maxBatch]
		}
		j.pending = j.pending[len(batch):]
		if len(batch) == 0 {
			j.pending, j.flying = nil, false
			j.mu.Unlock()
			return
		}
		j.mu.Unlock()
		j.send(batch)
	}
}

// send runs a pipeline. Scripts that Redis does not know have surely not run;
// they are loaded and sent once more.
func (j *Journal) send(batch []*call) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	unknown := j.exec(ctx, batch)
	if len(unknown) > 0 {
		if err := j.load(ctx); err == nil {
			unknown = j.exec(ctx, unknown)
		}
	}
	for _, c := range unknown {
		close(c.done)
	}
}

// exec closes the calls that Redis answered and returns those it knew no
// script for.
func (j *Journal) exec(ctx context.Context, batch []*call) (unknown []*call) {
	pipe := j.rdb.Pipeline()
	cmds := make([]*redis.Cmd, len(batch))
	j.sign(batch)
	for i, c := range batch {
		cmds[i] = pipe.EvalSha(ctx, c.script.Hash(), []string{string(j.keys)}, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	for i, c := range batch {
		c.out, c.err = texts(cmds[i])
		j.follow(c)
		if c.err != nil && strings.HasPrefix(c.err.Error(), "NOSCRIPT") {
			unknown = append(unknown, c)
			continue
		}
		close(c.done)
	}
	return unknown
}

func (j *Journal) load(ctx context.Context) error {
	for _, s := range j.scripts {
		if err := s.Load(ctx, j.rdb).Err(); err != nil {
			return err
		}
	}
	return nil
}

// texts reads a script's answer, which is a list of texts and whole numbers.
func texts(cmd *redis.Cmd) ([]string, error) {
	values, err := cmd.Slice()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprint(v)
	}
	return out, nil
}
