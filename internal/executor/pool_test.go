package executor_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// hog takes the only connection of a pool whenever a command of a certain
// number is about to ask for it.
type hog struct {
	rdb   *redis.Client
	every int64
	n     atomic.Int64
	// off lets all commands have it.
	off atomic.Bool
}

// taking tells that a command comes from the hog itself.
type taking struct{}

func (h *hog) hold(ctx context.Context) (release func()) {
	if h.off.Load() || ctx.Value(taking{}) != nil || h.n.Add(1)%h.every != 0 {
		return func() {}
	}
	conn := h.rdb.Conn()
	if err := conn.Ping(context.WithValue(ctx, taking{}, true)).Err(); err != nil {
		return func() {} // somebody else has it, which is as good
	}
	return func() { _ = conn.Close() }
}

func (h *hog) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *hog) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		defer h.hold(ctx)()
		return next(ctx, cmd)
	}
}

func (h *hog) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		defer h.hold(ctx)()
		return next(ctx, cmds)
	}
}

// starved is a worker whose pool of connections is exhausted at every so many
// commands.
func (r *rig) starved(every int64) (*executor.Executor, *hog) {
	r.t.Helper()
	rdb := redis.NewClient(&redis.Options{
		Addr: r.redis.Addr(), PoolSize: 1, MaxActiveConns: 1, PoolTimeout: time.Millisecond, MaxRetries: -1, DisableIdentity: true,
	})
	r.t.Cleanup(func() { _ = rdb.Close() })
	books, err := journal.Open(rdb)
	r.must(err)
	h := &hog{rdb: rdb, every: every}
	rdb.AddHook(h)
	return r.executor(func(c *executor.Config) { c.Journal = books }), h
}

func TestAnExhaustedPoolOfConnectionsLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, every := range []int64{2, 3, 5, 7} {
		t.Run(strconv.FormatInt(every, 10), func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.many(12)
			exec, h := r.starved(every)
			short := 0
			for _, action := range []string{"create", "add_seats", "pause"} {
				ids := r.occurrence(action)
				for n := range 400 {
					left := r.open()
					if len(left) == 0 {
						break
					}
					if n == 300 {
						h.off.Store(true)
					}
					short += r.starve(exec, left)
				}
				for _, id := range ids {
					r.want(id, planner.Applied)
				}
			}
			if short == 0 {
				t.Error("the pool was never exhausted")
			}
			// Refunds that could not be measured are put right by a quiet balance.
			r.must2(r.exec.Balance(t.Context()))
			r.agree()
		})
	}
}

// starve performs what is left once, and lets time pass. It returns how often
// there was no connection.
func (r *rig) starve(exec *executor.Executor, left []*journal.Op) (short int) {
	r.t.Helper()
	var ids, sending []string
	soonest := left[0].Due
	for _, op := range left {
		ids = append(ids, op.ID)
		if op.State == planner.Sending {
			sending = append(sending, op.ID)
		}
		if op.Due.Before(soonest) {
			soonest = op.Due
		}
	}
	_, err := exec.Perform(r.t.Context(), ids)
	_, aerr := exec.Abandoned(r.t.Context(), sending)
	for _, err := range []error{err, aerr} {
		switch {
		case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
			short++
		case err != nil:
			r.t.Errorf("perform: %v", err)
		}
	}
	r.clock.advance(max(time.Second, soonest.Sub(r.clock.now())))
	r.box.Tick()
	return short
}
