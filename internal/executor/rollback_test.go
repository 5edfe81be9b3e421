package executor_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// forgetful is a rig whose Redis can be set back to an earlier state.
type forgetful struct {
	*rig
	store *memory.Redis
	disk  sendlog.OS
	guard *sendlog.Guard
}

func newForgetful(t *testing.T) *forgetful {
	r := &forgetful{rig: setup(t, sandbox.Config{}), disk: sendlog.OS(t.TempDir())}
	r.store = memory.New(r.clock.now)
	books, err := journal.Open(r.store.Client())
	r.must(err)
	r.books = books
	r.start()
	r.register()
	_, err = r.exec.Balance(t.Context())
	r.must(err)
	r.clock.advance(time.Second)
	return r
}

// start starts a runner of the folder, as a process does.
func (r *forgetful) start() { r.startOn(r.disk) }

func (r *forgetful) startOn(disk sendlog.Disk) {
	r.t.Helper()
	g, err := sendlog.Start(r.t.Context(), sendlog.Config{
		Disk: disk, Journal: r.books, Address: "redis", Name: "here", Now: r.clock.now,
		Draw: func() string { return fmt.Sprintf("draw-%d", r.draws.Add(1)) }, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	r.guard = g
	r.exec = r.executor(func(c *executor.Config) { c.Witness = g })
}

// restart ends the runner and starts another one.
func (r *forgetful) restart() {
	r.t.Helper()
	r.must(r.guard.Close(context.WithoutCancel(r.t.Context())))
	r.start()
}

func (r *forgetful) recover() []operator.SendRecovery {
	r.t.Helper()
	ctx := r.t.Context()
	o := operator.New(operator.Config{
		Journal: r.books, Market: r.market, Executor: r.exec, Now: r.clock.now, Log: slog.New(slog.DiscardHandler),
		Draw: func() string { return fmt.Sprintf("draw-%d", r.draws.Add(1)) },
	})
	logs, err := sendlog.ReadAll(r.disk)
	r.must(err)
	id, err := sendlog.Anchored(r.disk, "redis")
	r.must(err)
	in := operator.Sends{Logs: logs, Journal: id}
	rows, err := o.RecoverSends(ctx, in)
	r.must(err)
	again, err := o.RecoverSends(ctx, in)
	r.must(err)
	if len(again) != 0 {
		r.t.Errorf("a second recovery wrote %+v", again)
	}
	done, err := o.Restore(ctx, in, nil)
	r.must(err)
	if len(done.Frozen) != 0 {
		r.t.Errorf("still frozen: %+v", done.Frozen)
	}
	r.must(r.guard.Tick(ctx))
	r.must(r.guard.Tick(ctx))
	if why := r.guard.Frozen(); why != "" {
		r.t.Errorf("still held: %s", why)
	}
	return rows
}

// changes counts the requests that changed something.
func (r *forgetful) changes() uint64 {
	received := r.box.Traffic().Received
	return received["create"] + received["add_seats"] + received["pause"] + received["resume"] + received["rate"]
}

func TestARedisThatLostWritesSendsNothingTwice(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(r *forgetful) []string{
		"create":    func(r *forgetful) []string { return r.occurrence("create") },
		"add_seats": func(r *forgetful) []string { r.created(); return r.occurrence("add_seats") },
		"pause":     func(r *forgetful) []string { r.created(); return r.occurrence("pause") },
		"rate": func(r *forgetful) []string {
			apps, err := r.box.AddApplications(r.created(), 1)
			r.must(err)
			return []string{r.rating(apps[0], campaigns.Approve)}
		},
	}
	for kind, plan := range kinds {
		for _, doubt := range []bool{false, true} {
			for _, again := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s in doubt %t restarted %t", kind, doubt, again), func(t *testing.T) {
					t.Parallel()
					r := newForgetful(t)
					ids := plan(r)
					before := r.changes()
					r.store.Snapshot()
					if doubt {
						r.faults(kind + ":drop_after=1")
					}
					_, err := r.exec.Perform(t.Context(), ids)
					r.must(err)
					r.faults("")
					sent := r.changes()
					r.store.Restore()
					if again {
						r.restart()
					}
					// The first finds the loss, and each later one the way shut.
					for range 3 {
						_, err := r.exec.Perform(t.Context(), ids)
						r.must(err)
						r.must(r.guard.Tick(t.Context()))
						r.clock.advance(31 * time.Second)
					}
					if now := r.changes(); now != sent {
						t.Fatalf("%d requests were made before the recovery, want none", now-sent)
					}
					if r.guard.Frozen() == "" {
						t.Error("the loss was not noticed")
					}
					for _, row := range r.recover() {
						if want := map[bool]string{false: "applied", true: "unknown"}[doubt]; row.Outcome != want {
							t.Errorf("%s was recovered as %s, want %s", row.Op, row.Outcome, want)
						}
					}
					r.settle()
					for _, id := range ids {
						r.want(id, planner.Applied)
					}
					if made := r.changes() - before; made != uint64(len(ids)) {
						t.Errorf("%d requests were made for %d operations", made, len(ids))
					}
					// A refund that could not be measured is put right by a quiet reading.
					_, err = r.exec.Balance(t.Context())
					r.must(err)
					r.agree()
				})
			}
		}
	}
}

// TestNothingIsConcludedFromBooksThatLackSends has an operation in doubt that
// was not done, while money went for another one that the journal lost.
func TestNothingIsConcludedFromBooksThatLackSends(t *testing.T) {
	t.Parallel()
	r := newForgetful(t)
	ids := r.occurrence("create")
	doubtful, lost := ids[:1], ids[1:2]
	perform := func(ids []string) {
		t.Helper()
		_, err := r.exec.Perform(t.Context(), ids)
		r.must(err)
	}
	r.faults("create:500_before=1")
	perform(doubtful)
	r.faults("")
	r.want(doubtful[0], planner.Unknown)
	r.store.Snapshot()
	perform(lost)
	r.want(lost[0], planner.Applied)
	r.store.Restore()
	perform(lost)
	r.must(r.guard.Tick(t.Context()))
	for range 8 {
		r.clock.advance(2*time.Minute + time.Second)
		perform(doubtful)
		r.must(r.guard.Tick(t.Context()))
		r.want(doubtful[0], planner.Unknown)
	}
	r.recover()
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	r.agree()
}
