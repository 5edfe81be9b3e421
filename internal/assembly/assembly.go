// Package assembly puts the rooms together that a runner, a command and a
// simulation share, so that all three work in the same way. What differs between
// them is in its Config: the clock, the marketplace, and where work is queued.
package assembly

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/scheduler"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// Marketplace is what the rooms ask of the API between them.
type Marketplace interface {
	executor.Marketplace
	watcher.Marketplace
	operator.Marketplace
}

// Queue carries work to whoever carries it out.
type Queue interface {
	operator.Queue
	Operations(ctx context.Context, ops []planner.Operation) error
}

// Config is what the rooms are made of.
type Config struct {
	// Executor is the executor's own, without Market. Journal may be looked on at,
	// such as to record what is written; its clock, log and draws are everybody's.
	Executor executor.Config
	Journal  *journal.Journal
	// Market is nil where nothing asks the marketplace.
	Market Marketplace
	Queue  Queue
	// Grace, Abreast and Lag are the scheduler's.
	Grace   time.Duration
	Abreast int
	Lag     func(time.Duration)
}

// Rooms are the rooms, made and not yet at work.
type Rooms struct {
	Executor  *executor.Executor
	Scheduler *scheduler.Scheduler
	Watcher   *watcher.Watcher
	Operator  *operator.Operator
}

// New makes the rooms.
func New(cfg Config) Rooms {
	e := cfg.Executor
	watch := watcher.Config{
		Journal: cfg.Journal, Now: e.Now, Log: e.Log, Enqueue: cfg.Queue.Enqueue, StartReview: cfg.Queue.Review, Suspect: e.Suspect,
	}
	operate := operator.Config{
		Journal: cfg.Journal, Queue: cfg.Queue, Now: e.Now, Log: e.Log, Draw: e.Draw, Grace: cfg.Grace, SettleAfter: e.SettleAfter,
	}
	// A nil Marketplace in their interfaces would not be nil to them.
	if cfg.Market != nil {
		e.Market, watch.Market, operate.Market = cfg.Market, cfg.Market, cfg.Market
	}
	var r Rooms
	r.Executor = executor.New(e)
	r.Scheduler = scheduler.New(scheduler.Config{
		Journal: cfg.Journal, Now: e.Now, Log: e.Log, Grace: cfg.Grace, Abreast: cfg.Abreast, Lag: cfg.Lag,
		Enqueue: cfg.Queue.Operations, Review: cfg.Queue.Review,
	})
	watch.Plan = r.Executor.Plan
	r.Watcher = watcher.New(watch)
	operate.Executor, operate.Scheduler, operate.Judge = r.Executor, r.Scheduler, r.Watcher
	r.Operator = operator.New(operate)
	return r
}

// Jitter is a random duration up to d.
func Jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(rand.Int64N(int64(d))) //nolint:gosec // it spreads retries, and guards nothing
}
