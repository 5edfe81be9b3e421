package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// faultsOfCalls are what may befall a call that changes something.
var faultsOfCalls = []string{
	"drop_before", "drop_after", "reset_after", "500_before", "500_after", "502_html_after", "503",
	"html_200_after", "truncated_after", "malformed_after", "wrong_job_id", "cost_missing", "cost_string",
	"late(90s)", "429(2s)", "401", "redirect_301", "redirect_302", "redirect_307", "redirect_308", "huge", "gzip_bomb",
	"slow(50ms)", "hang_after", "slow(1m)",
}

// pays are the kinds that move money, as routes.
var pays = []string{"create", "add_seats", "pause", "resume", "restart", "update"}

func TestAfterAnyFaultOfAnyCallTheBooksAgree(t *testing.T) {
	t.Parallel()
	for _, kind := range pays {
		for _, fault := range faultsOfCalls {
			if _, err := sandbox.ParseFaults(kind + ":" + fault + "@1"); err != nil {
				continue // it has no meaning there
			}
			if kind == "create" && fault == "wrong_job_id" {
				continue // a new job's wrong id can't be told from a right one without a read
			}
			for _, seats := range meanings(kind, fault) {
				t.Run(fmt.Sprintf("%s/%s/%d", kind, fault, seats), func(t *testing.T) {
					t.Parallel()
					survive(t, kind, fault, sandbox.Config{Habits: sandbox.Habits{Seats: seats}}, 0)
				})
			}
		}
	}
}

// meanings are those of the number of seats that matter: none but to purchases.
func meanings(kind, fault string) []sandbox.Seats {
	switch {
	case kind != "add_seats" && slices.Contains([]string{"huge", "gzip_bomb", "redirect_301", "redirect_307", "redirect_308"}, fault):
		return nil // a client reads all answers the same way: once is enough
	case kind == "add_seats" || kind == "resume":
		return []sandbox.Seats{sandbox.SeatsTotal, sandbox.SeatsRemaining}
	}
	return []sandbox.Seats{sandbox.SeatsTotal}
}

func TestWorkersWhoComeMeanwhileConfuseNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"add_seats", "pause", "resume", "restart"} {
		for _, fault := range []string{"drop_before", "drop_after", "500_before", "500_after", "late(90s)"} {
			for _, seats := range []sandbox.Seats{sandbox.SeatsTotal, sandbox.SeatsRemaining} {
				for _, workers := range []int{2, 4} {
					t.Run(fmt.Sprintf("%s/%s/%d/%d", kind, fault, seats, workers), func(t *testing.T) {
						t.Parallel()
						survive(t, kind, fault, sandbox.Config{Habits: sandbox.Habits{Seats: seats}}, workers)
					})
				}
			}
		}
	}
}

// survive carries a kind out through a fault, with workers who apply before and
// between, and compares the books.
func survive(t *testing.T, kind, fault string, cfg sandbox.Config, workers int) {
	t.Helper()
	r := setup(t, cfg)
	if fault == "hang_after" || fault == "slow(1m)" {
		r.hurried(500 * time.Millisecond)
	}
	if kind != "create" {
		r.spec.Items = r.spec.Items[:1]
		r.register()
		job := r.created()
		apply(r, job, 3)
		if kind == "resume" {
			r.occurrence("pause")
			r.settle()
		}
	}
	r.clock.advance(time.Minute)
	r.faults(kind + ":" + fault + "@1")
	ids := r.occurrence(kind)
	r.step()
	for _, id := range ids {
		if j := r.op(id).JobID; j != 0 {
			apply(r, j, workers)
		}
	}
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	r.agree()
}

// apply has as many workers apply as the job lets in.
func apply(r *rig, job int64, n int) {
	r.t.Helper()
	if j, ok := r.box.Job(job); !ok || j.Status != sandbox.JobOnline {
		return
	}
	if n > 0 {
		_, err := r.box.AddApplications(job, n)
		r.must(err)
	}
}

func TestAReadThatFailsSettlesNothing(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"500_after", "drop_before", "html_200_after", "truncated_after", "401", "429(2s)"} {
		for _, route := range []string{"me", "job", "jobs", "quote", "categories"} {
			t.Run(route+"/"+fault, func(t *testing.T) {
				t.Parallel()
				r := setup(t, sandbox.Config{})
				r.spec.Items = r.spec.Items[:1]
				r.register()
				r.faults(fmt.Sprintf("create:drop_after@1,pause:drop_after@1,%[1]s:%[2]s@1,%[1]s:%[2]s@2,%[1]s:%[2]s@4", route, fault))
				ids := r.occurrence("create")
				r.settle()
				r.want(ids[0], planner.Applied)
				ids = r.occurrence("pause")
				r.settle()
				r.want(ids[0], planner.Applied)
				r.agree()
			})
		}
	}
}

func TestAnOperationTwiceIsDoneOnce(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.created()
	for _, action := range []string{"add_seats", "update", "restart", "pause", "resume"} {
		ids := r.occurrence(action)
		r.settle()
		for range 2 {
			_, err := r.exec.Perform(t.Context(), ids)
			r.must(err)
		}
		if again := r.occurrence(action); action != "pause" && action != "resume" && len(again) != 0 {
			t.Errorf("%s was planned again: %v", action, again)
		}
		for _, id := range ids {
			if op := r.want(id, planner.Applied); op.Attempts != 1 {
				t.Errorf("%s took %d attempts, want 1", id, op.Attempts)
			}
		}
		r.clock.advance(time.Minute)
	}
	r.agree()
}

func TestAJobThatIsHiddenWhileItWaitsIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Moderation: 24 * time.Hour, Habits: sandbox.Habits{HideWaiting: true}})
	r.spec.Items = []campaigns.Item{{Key: "a"}}
	r.register()
	r.faults("create:drop_after@1")
	ids := r.occurrence("create")
	r.settle()
	r.want(ids[0], planner.Parked)
	if n := r.box.Traffic().Received["create"]; n != 1 {
		t.Errorf("%d creates arrived, want 1", n)
	}
}

func TestMoneyThatAnotherMayHaveTakenLeavesNoCreateToAPerson(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]money.USD{"another holds it": 5 * money.Dollar, "nobody holds it": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Items = r.spec.Items[:1]
			r.register()
			job := r.created()
			if held > 0 { // by a sender that died: the seats are bought, and nothing is written
				add := r.op(r.occurrence("add_seats")[0])
				_, err := r.books.Begin(t.Context(), journal.Start{
					Op: add, Nonce: "dead", Now: r.clock.now(), Deadline: r.clock.now().Add(time.Hour), Amount: held,
				})
				r.must(err)
			}
			r.must(r.box.BuySeats(job, 20))
			r.faults("create:drop_before@1")
			r.spec.Items = []campaigns.Item{{Key: "new"}}
			r.register()
			id := r.occurrence("create")[0]
			for range 40 {
				r.step()
				if s := r.op(id).State; s == planner.Applied || s == planner.Parked {
					break
				}
			}
			want := planner.Applied
			if held == 0 {
				want = planner.Parked
			}
			r.want(id, want)
		})
	}
}

func TestAPauseThatLandsLateIsNoPartOfAnothersRefund(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:2]
	r.register()
	r.created()
	r.clock.advance(time.Minute)
	r.faults("pause:drop_after@1")
	ids := r.occurrence("pause")
	first := r.op(ids[0])
	r.must2(r.exec.Perform(t.Context(), ids[:1]))
	r.want(first.ID, planner.Unknown)
	// An earlier attempt at the other one lands now, in the midst of the measuring.
	other := r.op(ids[1]).JobID
	r.must(r.box.FinishJob(other))
	// The first is read back while nothing else is in flight.
	for range 10 {
		r.clock.advance(max(time.Second, r.op(first.ID).Due.Sub(r.clock.now())))
		r.must2(r.exec.Perform(t.Context(), []string{first.ID}))
	}
	r.want(first.ID, planner.Applied)
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	r.must2(r.exec.Balance(t.Context()))
	r.agree()
}

func TestARefundThatCouldNotBeMeasuredIsPutRight(t *testing.T) {
	t.Parallel()
	for name, habits := range map[string]bool{"with the fees": false, "at the bare price": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{KeepFees: habits})
			job := r.created()
			// A purchase that never ends keeps the account from being quiet.
			adds := r.occurrence("add_seats")
			add := r.op(adds[slices.IndexFunc(adds, func(id string) bool { return r.op(id).JobID != job })])
			_, err := r.books.Begin(t.Context(), journal.Start{
				Op: add, Nonce: "dead", Now: r.clock.now(), Deadline: r.clock.now().Add(time.Hour), Amount: 1,
			})
			r.must(err)
			apply(r, job, 3)
			var pause string
			for _, id := range r.occurrence("pause") {
				if r.op(id).JobID == job {
					pause = id
				}
			}
			for range 200 {
				r.must2(r.exec.Perform(t.Context(), []string{pause}))
				r.clock.advance(time.Second)
			}
			if op := r.want(pause, planner.Applied); !strings.Contains(op.History()[len(op.History())-1].Note, "estimate") {
				t.Errorf("the refund is no estimate: %s", op.History()[len(op.History())-1].Note)
			}
			_, err = r.books.Settle(t.Context(), journal.Settlement{
				Op: r.op(add.ID), From: planner.Sending, Nonce: "dead", Stamp: "end", To: planner.Rejected, Now: r.clock.now(),
			})
			r.must(err)
			r.must2(r.exec.Balance(t.Context()))
			r.agree()
		})
	}
}

// behind is a marketplace that reads a job from a copy which is behind.
type behind struct {
	*api.Client
	job api.Job
}

func (b *behind) Job(ctx context.Context, id int64) (api.Job, error) {
	if id == b.job.ID {
		return b.job, nil
	}
	return b.Client.Job(ctx, id)
}

// A refund that is estimated by an old look must not be booked too high: the
// budget would spend it.
func TestARefundIsNotEstimatedByAJobThatIsShownAsItWas(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{KeepFees: true})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	id := r.created()
	old, err := r.market.Job(t.Context(), id)
	r.must(err)
	apply(r, id, 3)
	r.exec = r.executor(func(c *executor.Config) { c.Market = &behind{r.market, old} })
	r.occurrence("pause")
	r.settle()
	theirs := func() sandbox.JobBooks { return r.box.Books().Jobs[0] }
	own, err := r.books.Job(t.Context(), id)
	r.must(err)
	if theirs().Refunded == 0 || own.Refunded > theirs().Refunded {
		t.Errorf("%s came back, and %s is booked", theirs().Refunded, own.Refunded)
	}
	r.must2(r.exec.Balance(t.Context()))
	own, err = r.books.Job(t.Context(), id)
	r.must(err)
	r.equal("refunded", own.Refunded, theirs().Refunded)
	r.equal("the balance by the books", mustAccount(r).Expected(), r.box.Books().Balance)
}

func TestACallThatLandsBetweenTwoReadsIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"create", "add_seats", "resume"} {
		for _, late := range []string{"200s", "300s"} { // the reads are two minutes apart
			t.Run(kind+"/"+late, func(t *testing.T) {
				t.Parallel()
				r := setup(t, sandbox.Config{})
				r.spec.Items = r.spec.Items[:1]
				r.register()
				if kind != "create" {
					r.created()
				}
				if kind == "resume" {
					r.occurrence("pause")
					r.settle()
				}
				r.must2(r.exec.Balance(t.Context()))
				r.clock.advance(time.Minute)
				r.faults(kind + ":late(" + late + ")@1")
				id := r.occurrence(kind)[0]
				r.settle()
				if op := r.want(id, planner.Applied); op.Attempts != 1 {
					t.Errorf("%d attempts, want 1", op.Attempts)
				}
				r.agree()
			})
		}
	}
}

func TestNothingIsReadBackBeforeItsRest(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	r.faults("create:drop_before@1")
	ids := r.occurrence("create")
	r.must2(r.exec.Perform(t.Context(), ids))
	r.want(ids[0], planner.Unknown)
	before := r.box.Traffic().Received["jobs"]
	for range 5 { // however often it is woken up
		r.must2(r.exec.Perform(t.Context(), ids))
	}
	if after := r.box.Traffic().Received["jobs"]; after != before {
		t.Errorf("%d reads before the rest was over, want none", after-before)
	}
	r.want(ids[0], planner.Unknown)
}

func TestSeatsThatMayBeAllOrLeftDecideNothing(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Habits: sandbox.Habits{Seats: sandbox.SeatsRemaining}})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	job := r.created()
	r.faults("add_seats:drop_after@1")
	id := r.occurrence("add_seats")[0]
	r.step()
	// As many workers come as seats were bought, so the number is what it was; and
	// a deposit keeps the balance from telling what was spent.
	apply(r, job, 20)
	r.box.Deposit(3 * money.Dollar)
	r.settle()
	r.want(id, planner.Parked)
	if n := r.box.Traffic().Received["add_seats"]; n != 1 {
		t.Errorf("%d additions were made, want 1", n)
	}
}
