package watcher_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// restarted is a watcher of a process that has just begun, on the same journal.
// It plans as the executor does, and fails where a step is to be its last.
func (r *rig) restarted(diesAt string) *watcher.Watcher {
	died := errors.New("the process died")
	at := func(step string) error {
		if step == diesAt {
			return died
		}
		return nil
	}
	return watcher.New(watcher.Config{
		Journal: r.journal, Market: r.watcher.Market, Now: r.watcher.Now, Log: slog.New(slog.DiscardHandler),
		Plan: func(ctx context.Context, ops []planner.Operation) ([]executor.Next, error) {
			if err := at("before the plan"); err != nil {
				return nil, err
			}
			created, err := r.journal.Create(ctx, r.now, nil, journal.Queue(ops))
			next := make([]executor.Next, len(created))
			for i, id := range created {
				next[i].ID = id
			}
			return next, errors.Join(err, at("after the plan"))
		},
		Enqueue: func(context.Context, []executor.Next) error { return at("after the queue") },
		StartReview: func(_ context.Context, v journal.Review) error {
			r.reviews = append(r.reviews, v)
			return at("after the review")
		},
	})
}

// TestACrashWhileAnEventIsActedOnLosesAndDoublesNothing ends the process at each
// step between seeing an event and taking it off the list.
func TestACrashWhileAnEventIsActedOnLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, diesAt := range []string{"before the plan", "after the plan", "after the queue", "after the review", ""} {
		t.Run("it dies "+diesAt, func(t *testing.T) {
			t.Parallel()
			r := setup(t, waitsForEvents()...)
			job := r.job(2)
			r.must(r.watcher.Poll(r.ctx))
			r.handIn(job, "one", "two")
			r.now = r.now.Add(time.Minute)
			seen := r.now.Truncate(time.Second)
			if err := r.restarted(diesAt).Poll(r.ctx); (err != nil) != (diesAt != "") {
				t.Fatalf("the first poll returns %v", err)
			}
			left, err := r.journal.Happenings(r.ctx)
			r.must(err)
			if (len(left) > 0) != (diesAt != "") {
				t.Errorf("%d events wait to be acted on", len(left))
			}
			// The next process looks later; what it plans belongs to the same slot.
			for range 2 {
				r.now = r.now.Add(90 * time.Second)
				r.must(r.restarted("").Poll(r.ctx))
			}
			ops, err := r.journal.Ops(r.ctx, journal.Filter{})
			r.must(err)
			if len(ops) != 1 || ops[0].Kind != planner.Resume || ops[0].JobID != job || !ops[0].Slot.Equal(seen) {
				t.Errorf("planned %v, want one resume of job %d in the slot %s", ops, job, seen)
			}
			open, err := r.journal.Reviews(r.ctx)
			r.must(err)
			if len(open) != 1 || !open[0].Slot.Equal(seen) {
				t.Errorf("rating runs %v, want one in the slot %s", open, seen)
			}
			for _, v := range r.reviews {
				if v != open[0] {
					t.Errorf("another rating run was begun: %v", v)
				}
			}
			left, err = r.journal.Happenings(r.ctx)
			r.must(err)
			if len(left) != 0 {
				t.Errorf("%v still waits to be acted on", left)
			}
		})
	}
}
