package executor_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestEachKindIsAppliedWithOneRequest(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.created()
	want := map[string]uint64{"create": 3}
	for _, action := range []string{"add_seats", "update", "restart", "pause", "resume"} {
		ids := r.occurrence(action)
		want[action] = uint64(len(ids))
		r.settle()
		for _, id := range ids {
			r.want(id, planner.Applied)
		}
		r.clock.advance(time.Minute)
	}
	r.agree()
	got := r.box.Traffic().Received
	for route, n := range want {
		if n != 3 || got[route] != n {
			t.Errorf("%d requests %s for %d operations, want 3", got[route], route, n)
		}
	}
	if got["quote"] > 3 {
		t.Errorf("%d quotes were asked for, want one for each of 3 shapes", got["quote"])
	}
}

func TestAnUpdateKeepsTheMarker(t *testing.T) {
	t.Parallel()
	for name, automated := range map[string]bool{"in the steps": false, "in the title of an automated job": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Items = r.spec.Items[:1]
			r.spec.Job.Automated = automated
			r.register()
			job := r.created()
			marker := func() string {
				j, err := r.market.Job(t.Context(), job)
				r.must(err)
				return executor.MarkerOf(j)
			}
			before := marker()
			r.clock.advance(time.Minute)
			r.faults("update:drop_after@1")
			ids := r.occurrence("update")
			r.settle()
			if op := r.want(ids[0], planner.Applied); op.Attempts != 1 {
				t.Errorf("%d attempts, want 1: the job shows the change", op.Attempts)
			}
			if after := marker(); before == "" || after != before {
				t.Errorf("the marker was %q and is %q", before, after)
			}
		})
	}
}

func TestTwoExecutorsSendOnce(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	other := r.executor(nil)
	for _, action := range []string{"create", "add_seats", "restart", "pause", "resume"} {
		ids := r.occurrence(action)
		for range 20 {
			race(t, ids, r.exec, other)
			r.clock.advance(time.Second)
		}
		r.settle()
		for _, id := range ids {
			if op := r.want(id, planner.Applied); op.Attempts != 1 {
				t.Errorf("%s took %d attempts, want 1", id, op.Attempts)
			}
		}
		r.clock.advance(time.Minute)
	}
	r.agree()
}

// race has two executors perform the same operations at once.
func race(t *testing.T, ids []string, all ...*executor.Executor) {
	t.Helper()
	var wg sync.WaitGroup
	for _, e := range all {
		for range 2 {
			wg.Go(func() {
				if _, err := e.Perform(t.Context(), ids); err != nil {
					t.Errorf("perform: %v", err)
				}
			})
		}
	}
	wg.Wait()
}

func TestAJobDeletedBehindOurBack(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"add_seats", "update", "restart", "pause"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Items = r.spec.Items[:1]
			r.register()
			job := r.created()
			r.must(r.box.DeleteJob(job))
			suspected := 0
			r.exec = r.executor(func(c *executor.Config) { c.Suspect = func() { suspected++ } })
			ids := r.occurrence(action)
			for range 3 { // a copy that is behind would say the same
				r.step()
			}
			r.want(ids[0], planner.Queued)
			if suspected == 0 {
				t.Error("no audit was asked for, which finds the job of a create that was told of a wrong one")
			}
			r.clock.advance(10 * time.Minute)
			r.settle()
			if op := r.want(ids[0], planner.Rejected); !strings.Contains(op.Error, "exist") && !strings.Contains(op.Error, "does not know") {
				t.Errorf("the reason is %q", op.Error)
			}
			own, err := r.books.Job(t.Context(), job)
			r.must(err)
			if own.Status != journal.JobGone {
				t.Errorf("the job is %s in our books, want gone", own.Status)
			}
		})
	}
}

func TestAQuoteThatMadeTheJobIsBookedAndNotSentAgain(t *testing.T) {
	t.Parallel()
	r, ids := askedInEarnest(t)
	r.settle()
	r.want(ids[0], planner.Applied)
	if n := r.box.Traffic().Received["create"]; n != 0 {
		t.Errorf("%d creates arrived beside the quote, want 0", n)
	}
	r.agree()
}

func TestAQuoteThatMadeAJobTooDearIsTakenBack(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.budgeted(campaigns.Budget{Cap: money.MustParse("0.5")})
	r.faults("quote:ignore_get_cost@1")
	ids := r.occurrence("create")
	r.settle()
	r.want(ids[0], planner.Skipped)
	b := r.box.Books()
	r.equal("the balance", b.Balance, b.Start)
	if len(b.Jobs) != 1 || b.Jobs[0].Status != sandbox.JobFinished {
		t.Errorf("jobs are %+v, want one, finished", b.Jobs)
	}
	alerts, err := r.books.Alerts(t.Context())
	r.must(err)
	if len(alerts) != 2 {
		t.Errorf("alerts are %v, want one of the quote and one of its job", alerts)
	}
}

func TestAnApiThatTakesNoKeyLosesNothing(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.faults("*:401=1")
	ids := r.occurrence("create")
	for range 20 {
		r.step()
	}
	refused := r.box.Traffic().Faults[sandbox.Status401]
	if refused == 0 || refused > 30 {
		t.Errorf("%d requests were refused, want a few: the breaker holds the others", refused)
	}
	r.faults("")
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	r.agree()
	alerts, err := r.books.Alerts(t.Context())
	r.must(err)
	if len(alerts) != 0 {
		t.Errorf("alerts are left: %v", alerts)
	}
}

func TestRedisThatIsDownMeansNoRequest(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	job := r.created()
	r.clock.advance(time.Minute)
	ids := r.occurrence("add_seats")
	r.redis.SetError("LOADING dataset in memory")
	if _, err := r.exec.Perform(t.Context(), ids); err == nil {
		t.Error("performing without Redis brought no error")
	}
	r.redis.SetError("")
	if n := r.box.Traffic().Received["add_seats"]; n != 0 {
		t.Errorf("%d requests arrived, want 0", n)
	}
	r.settle()
	if j, _ := r.box.Job(job); j.Seats != 30 {
		t.Errorf("the job has %d seats, want 30", j.Seats)
	}
	r.agree()
}

// deaf is a journal whose settlements get lost, as those of a killed process.
type deaf struct{ *journal.Journal }

var errKilled = errors.New("killed")

func (deaf) Settle(context.Context, journal.Settlement) ([]string, error) { return nil, errKilled }

func TestAWorkerKilledAfterItsRequestIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"create", "add_seats", "resume", "restart", "update"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			if action != "create" {
				r.created()
			}
			if action == "resume" {
				r.occurrence("pause")
				r.settle()
			}
			r.clock.advance(time.Minute)
			ids := r.occurrence(action)
			dying := r.executor(func(c *executor.Config) { c.Journal = deaf{r.books} })
			if _, err := dying.Perform(t.Context(), ids); !errors.Is(err, errKilled) {
				t.Fatalf("perform: %v, want %v", err, errKilled)
			}
			for _, id := range ids {
				r.want(id, planner.Sending)
			}
			r.settle()
			for _, id := range ids {
				if op := r.want(id, planner.Applied); op.Attempts != 1 {
					t.Errorf("%s took %d attempts, want 1", id, op.Attempts)
				}
			}
			r.agree()
		})
	}
}

func TestASenderThatWakesUpLateStillTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	ids := r.occurrence("create")
	op := r.op(ids[0])
	p, err := r.books.Begin(t.Context(), journal.Start{
		Op: op, Nonce: "n", Now: r.clock.now(), Deadline: r.clock.now().Add(time.Second), Amount: 5,
		Limits: journal.Limits(r.spec, r.clock.now()),
	})
	r.must(err)
	if p.Gate != journal.Through {
		t.Fatalf("gate is %s", p.Gate)
	}
	r.clock.advance(2 * time.Second)
	next, err := r.exec.Abandoned(t.Context(), ids)
	r.must(err)
	if len(next) != 1 || next[0].Queue != planner.QueueWatch {
		t.Errorf("abandoned: %v, want it on the watch", next)
	}
	r.want(ids[0], planner.Unknown)
	r.settle()
	r.want(ids[0], planner.Applied)
	r.agree()
}

func TestAHeldCampaignWaitsAndGoesOn(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.created()
	r.must(r.books.Steer(t.Context(), r.clock.now(), "signs", journal.Paused, "lunch"))
	r.clock.advance(time.Minute)
	ids := r.occurrence("add_seats")
	_, err := r.exec.Perform(t.Context(), ids)
	r.must(err)
	pauses := r.occurrence("pause")
	for range 10 {
		_, err := r.exec.Perform(t.Context(), pauses)
		r.must(err)
	}
	for _, id := range pauses {
		r.want(id, planner.Applied) // what stops spending is never held
	}
	for _, id := range ids {
		r.want(id, planner.Queued)
	}
	r.must(r.books.Steer(t.Context(), r.clock.now(), "signs", journal.Active, ""))
	released, err := r.books.Release(t.Context(), r.clock.now(), "signs")
	r.must(err)
	if len(released) != len(ids) {
		t.Errorf("%d were released, want %d", len(released), len(ids))
	}
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Skipped) // the jobs are finished meanwhile
	}
	r.agree()
}

func TestARemovedCampaignsOperationsAreCanceled(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	ids := r.occurrence("create")
	r.must(r.books.Steer(t.Context(), r.clock.now(), "signs", journal.Removed, ""))
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Canceled)
	}
	r.agree()
}

func TestAShutdownBeginsNothingNew(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	ids := r.occurrence("create")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // more often than there are places
		if _, err := r.exec.Perform(ctx, ids); err == nil {
			t.Fatal("an ended context brought no error")
		}
	}
	for _, id := range ids {
		if op := r.want(id, planner.Queued); op.Attempts != 0 {
			t.Errorf("%s was begun", id)
		}
	}
	r.settle() // the places are all free
	r.agree()
}

// stopped is a journal during whose answer a shutdown begins.
type stopped struct {
	*journal.Journal
	stop context.CancelFunc
}

func (j stopped) Begin(ctx context.Context, st journal.Start) (journal.Passage, error) {
	p, err := j.Journal.Begin(context.WithoutCancel(ctx), st)
	j.stop()
	return p, errors.Join(err, ctx.Err())
}

func (j stopped) BeginPage(ctx context.Context, now, deadline time.Time, starts []journal.Start) ([]journal.Passage, error) {
	p, err := j.Journal.BeginPage(context.WithoutCancel(ctx), now, deadline, starts)
	j.stop()
	return p, errors.Join(err, ctx.Err())
}

func TestAShutdownLeavesNothingThatIsBeingSent(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"create", "rate"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r, _, ids := pageOf(t, 5)
			if kind == "create" {
				r.spec.Items = []campaigns.Item{{Key: "new"}}
				r.register()
				r.clock.advance(time.Minute)
				ids = r.occurrence("create")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			e := r.executor(func(c *executor.Config) { c.Journal = stopped{r.books, cancel} })
			r.must2(e.Perform(ctx, ids))
			for _, id := range ids {
				r.want(id, planner.Applied)
			}
		})
	}
}

func TestACreateThatIsToldOfAnothersJobLooksForItsOwn(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.created()
	first := r.box.Books().Jobs[0].JobID
	r.clock.advance(time.Minute)
	r.spec.Items = []campaigns.Item{{Key: "x"}}
	r.register()
	r.must(r.books.Adopt(t.Context(), r.clock.now(), journal.Job{ID: first + 4, Campaign: "other", Item: "o", Status: journal.JobOnline}))
	r.faults("create:wrong_job_id@1")
	ids := r.occurrence("create") // it makes first+3 and is told of first+4
	r.settle()
	if op := r.want(ids[0], planner.Applied); op.JobID != first+3 {
		t.Errorf("its job is %d, want %d", op.JobID, first+3)
	}
}

// What was planned for a job that a create was told of by mistake finds nothing
// there, once the books were corrected: nobody deleted it.
func TestAJobInNobodysBooksIsNotToldAsDeleted(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	ids := r.plan(planner.OnJob("signs", "restart", planner.Restart, planner.Job{ID: 999, Item: "a"}, r.clock.now()))
	r.settle()
	r.want(ids[0], planner.Rejected)
	if alerts, err := r.books.Alerts(t.Context()); err != nil || len(alerts) != 0 {
		t.Errorf("alerts: %v, %v", alerts, err)
	}
}
