package simtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// runner is a process: its workers share a clock and die together.
type runner struct {
	name string
	// ahead is how far its clock is ahead of the true time.
	ahead time.Duration
	// stopped is until when, in true time, the process is suspended.
	stopped time.Time
	born    int
	actors  []*actor
	disk    *disk
	proc    *process
}

// actor is one worker of a runner, or a person at a command line. It runs the
// product's own code, and waits at every word with Redis or the marketplace
// until the simulation lets it go on: no two ever run at once.
type actor struct {
	w      *world
	runner *runner
	proc   *process
	name   string
	wake   chan struct{}

	busy bool
	dead bool
	job  string
	// op is the operation in hand, and kind what it does.
	op   string
	kind planner.Kind
	err  error
	// redis and packet tell what it waits for.
	redis  *word
	packet *packet

	books  *journal.Journal
	exec   *executor.Executor
	market *market
	watch  *watcher.Watcher
}

// word is one exchange with Redis that is about to happen.
type word struct {
	what  string
	fault string
	// cut tells that its connection led to a Redis that is gone.
	cut bool
}

var errKilled = errors.New("the process was killed")

// market answers the lists of names without the network: they never change.
type market struct {
	*api.Client
	w *world
}

func (m *market) Countries(context.Context) ([]api.Country, error) {
	countries, _ := m.w.names()
	return countries, nil
}

func (m *market) Categories(context.Context) ([]api.Category, error) {
	_, categories := m.w.names()
	return categories, nil
}

var names struct {
	once       sync.Once
	countries  []api.Country
	categories []api.Category
}

func (w *world) names() ([]api.Country, []api.Category) {
	names.once.Do(func() {
		var err error
		names.countries, err = w.direct.Countries(context.Background())
		must(err)
		names.categories, err = w.direct.Categories(context.Background())
		must(err)
	})
	return names.countries, names.categories
}

func (w *world) newActor(r *runner, name string) *actor {
	a := &actor{w: w, runner: r, proc: r.proc, name: fmt.Sprintf("%s.%d", name, r.born), wake: make(chan struct{})}
	var err error
	if a.books, err = journal.Open(w.redis.Client(redisHook{a})); err != nil {
		panic(err)
	}
	a.market = &market{Client: w.client(a.now, &network{a}), w: w}
	var witness executor.Witness
	if a.proc != nil && a.proc.guard != nil {
		witness = a.proc.guard
	}
	a.exec = executor.New(executor.Config{
		Journal: a.books, Witness: witness, Market: a.market, Now: a.now, Draw: w.draw,
		Jitter: w.jitter, Log: slog.New(slog.DiscardHandler),
		SettleAfter: settleAfter,
	})
	a.watch = watcher.New(watcher.Config{
		Journal: a.books, Market: a.market, Now: a.now, Log: slog.New(slog.DiscardHandler), Plan: a.exec.Plan,
		Enqueue:     func(context.Context, []executor.Next) error { return nil },
		StartReview: func(context.Context, journal.Review) error { return nil },
	})
	return a
}

func (w *world) client(now func() time.Time, via transport) *api.Client {
	key, err := api.NewKey("key")
	if err != nil {
		panic(err)
	}
	c, err := api.New(api.Config{
		BaseURL: "http://127.0.0.1:9" + sandbox.BasePath, Key: key, Now: now, Timeout: time.Hour, Transport: via,
	})
	if err != nil {
		panic(err)
	}
	return c
}

// now is the clock of the actor's machine.
func (a *actor) now() time.Time { return a.w.now.Add(a.runner.ahead) }

// start gives an actor something to do and lets it run up to its first word.
func (a *actor) start(job string, do func(ctx context.Context) error) {
	a.busy, a.job = true, job
	go func() {
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("%s, %s: panic: %v", a.name, job, p)
				a.w.fail("%v", a.err)
			}
			a.busy, a.op, a.kind = false, "", ""
			a.w.yielded <- struct{}{}
		}()
		a.err = do(context.Background())
	}()
	<-a.w.yielded
}

// wait parks the actor; it returns once the simulation lets it go on.
func (a *actor) wait() {
	a.w.yielded <- struct{}{}
	<-a.wake
}

// resume lets a parked actor run up to its next word.
func (a *actor) resume() {
	a.wake <- struct{}{}
	<-a.w.yielded
}

// kill ends an actor's process: nothing of it reaches anybody any more.
func (a *actor) kill() {
	a.dead = true
	if a.packet != nil && a.packet.due.IsZero() {
		a.w.drop(a.packet)
	}
	if a.busy {
		a.resume()
	}
}

// redisHook stands between an actor and Redis.
type redisHook struct{ a *actor }

func (h redisHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h redisHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.exchange([]redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (h redisHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.exchange(cmds, func() error { return next(ctx, cmds) })
	}
}

// The faults of Redis: the connection breaks before or after, or it refuses.
const (
	redisBefore   = "redis_before"
	redisAfter    = "redis_after"
	redisLoading  = "redis_loading"
	redisReadonly = "redis_readonly"
	redisOOM      = "redis_oom"
)

var refusals = map[string]memory.Error{
	redisLoading:  "LOADING Redis is loading the dataset in memory",
	redisReadonly: "READONLY You can't write against a read only replica.",
	redisOOM:      "OOM command not allowed when used memory > 'maxmemory'.",
}

var errBroken = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}

func (h redisHook) exchange(cmds []redis.Cmder, run func() error) error {
	a := h.a
	if a.dead {
		return failAll(cmds, errKilled)
	}
	first := cmds[0]
	what := first.Name()
	if what == "script" {
		return run() // loading a script changes nothing
	}
	if what == "evalsha" {
		sha, _ := first.Args()[1].(string)
		what = a.w.scripts[sha]
	}
	fault := ""
	if !a.w.smooth {
		a.redis = &word{what: what}
		a.wait()
		fault = a.redis.fault
		if a.redis.cut && fault != redisAfter {
			fault = redisBefore
		}
		a.redis = nil
	}
	if a.dead {
		return failAll(cmds, errKilled)
	}
	if changes(first.Name()) && what != "stand" {
		a.w.dirty = true
	}
	switch fault {
	case "":
		return h.carry(cmds, run)
	case redisBefore:
		return failAll(cmds, errBroken)
	case redisAfter:
		_ = h.carry(cmds, run)
		return failAll(cmds, errBroken)
	}
	return failAll(cmds, refusals[fault])
}

// carry takes commands to Redis.
func (h redisHook) carry(cmds []redis.Cmder, run func() error) error {
	h.a.connect()
	h.sign(cmds)
	if h.scriptOf(cmds[0]) == "begin" {
		h.a.w.loseSoon()
	}
	err := run()
	h.heed(cmds)
	if h.a.job == recovering {
		h.a.w.watch.lenient = true
	}
	return err
}

// changes tells a command that may write.
func changes(name string) bool {
	return name == "evalsha" || strings.HasPrefix(name, "hset") || strings.HasPrefix(name, "set") || name == "del"
}

func failAll(cmds []redis.Cmder, err error) error {
	for _, cmd := range cmds {
		cmd.SetErr(err)
	}
	return err
}
