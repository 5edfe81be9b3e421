package executor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// jobCost is what ten seats at 0.05 cost in the sandbox.
const jobCost = "0.6625"

// budgeted gives the campaign a budget.
func (r *rig) budgeted(b campaigns.Budget) {
	r.t.Helper()
	b.Timezone = "UTC"
	if b.Per == "" {
		b.Per = campaigns.PerTotal
	}
	r.spec.Budget = &b
	r.register()
}

func TestACapIsNeverPassedAndSaysWhy(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.budgeted(campaigns.Budget{Cap: money.MustParse("1.325")}) // two of three jobs, exactly
	ids := r.occurrence("create")
	r.settle()
	applied, skipped := 0, 0
	for _, id := range ids {
		switch op := r.op(id); op.State {
		case planner.Applied:
			applied++
		case planner.Skipped:
			skipped++
			if !strings.Contains(op.Error, "0.6625 USD do not fit into the budget of signs: 0 USD are left") {
				t.Errorf("the reason is %q", op.Error)
			}
		}
	}
	if applied != 2 || skipped != 1 {
		t.Errorf("%d applied and %d skipped, want 2 and 1", applied, skipped)
	}
	r.agree()
}

func TestAThresholdPausesTheJobsAndTheirRefundIsMeasured(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.budgeted(campaigns.Budget{Cap: 10 * money.Dollar, PauseAt: money.MustParse("1.9")})
	ids := r.occurrence("create")
	r.settle()
	jobs, err := r.books.Jobs(t.Context(), "signs")
	r.must(err)
	if len(jobs) != len(ids) {
		t.Fatalf("%d jobs, want %d", len(jobs), len(ids))
	}
	for _, job := range jobs {
		if job.Status != journal.JobFinished {
			t.Errorf("job %d is %s, want finished", job.ID, job.Status)
		}
	}
	r.agree()
	r.equal("committed", r.budget().Committed(), 0)

	r.clock.advance(time.Minute)
	again := r.occurrence("resume")
	r.settle()
	for _, id := range again {
		r.want(id, planner.Skipped)
	}
	_, err = r.books.Unlatch(t.Context(), journal.CampaignScope("signs"))
	r.must(err)
	r.clock.advance(time.Minute)
	again = r.occurrence("resume")
	r.settle()
	for _, id := range again {
		r.want(id, planner.Applied)
	}
	r.agree()
}

func TestAClosedBudgetOpensWithItsNextWindow(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.budgeted(campaigns.Budget{
		Cap: 10 * money.Dollar, PauseAt: money.MustParse("1.9"), Per: campaigns.PerDay, Resume: campaigns.ResumeWindow,
	})
	r.created()
	r.clock.advance(24 * time.Hour)
	ids := r.occurrence("resume")
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	r.agreeWithoutBudget()
}

// agreeWithoutBudget is agree where the budget's window is not the only one.
func (r *rig) agreeWithoutBudget() {
	r.t.Helper()
	theirs := r.box.Books()
	account, err := r.books.Account(r.t.Context())
	r.must(err)
	r.equal("balance", account.Expected(), theirs.Balance)
	for _, job := range theirs.Jobs {
		r.agreeOn(r.t.Context(), job)
	}
}

func TestAMinimumBalanceIsKept(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Balance: money.MustParse("2")})
	r.spec.MinBalance = money.MustParse("1")
	r.register()
	ids := r.occurrence("create")
	r.settle()
	applied := 0
	for _, id := range ids {
		op := r.op(id)
		if op.State == planner.Applied {
			applied++
			continue
		}
		r.want(id, planner.Skipped)
		if !strings.Contains(op.Error, "minimum balance") {
			t.Errorf("the reason is %q", op.Error)
		}
	}
	if applied != 1 {
		t.Errorf("%d jobs were made, want 1", applied)
	}
	r.agree()
}

func TestATargetBuysTheGapOrWhatFits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headroom string
		seats    int
		state    planner.State
	}{
		"all of it":   {"100", 100, planner.Applied},
		"a part":      {"0.6625", 20, planner.Applied},
		"one seat":    {"0.06625", 11, planner.Applied},
		"nothing":     {"0.066249", 10, planner.Skipped},
		"exactly all": {"5.9625", 100, planner.Applied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Items = r.spec.Items[:1]
			r.budgeted(campaigns.Budget{Cap: money.MustParse(jobCost) + money.MustParse(c.headroom)})
			job := r.created()
			ids := r.occurrence("fill")
			r.settle()
			r.want(ids[0], c.state)
			if j, _ := r.box.Job(job); int(j.Seats) != c.seats {
				t.Errorf("the job has %d seats, want %d", j.Seats, c.seats)
			}
			r.agree()
		})
	}
}

func TestATargetAfterAPauseCountsTheSeatsThatAreLeft(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	job := r.created()
	apply(r, job, 4)
	r.occurrence("pause")
	r.settle()
	r.clock.advance(time.Minute)
	r.occurrence("resume")
	r.settle()
	r.clock.advance(time.Minute)
	r.occurrence("fill")
	r.settle()
	if j, _ := r.box.Job(job); j.Seats != 100 {
		t.Errorf("the job has %d seats, want 100", j.Seats)
	}
	r.agree()
}

func TestAChargeBeyondItsQuoteIsBookedAndTold(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.budgeted(campaigns.Budget{Cap: money.MustParse("0.5")})
	job, err := r.exec.Resolve(t.Context(), *r.spec.Job)
	r.must(err)
	r.must(r.books.KeepQuote(t.Context(), executor.Shape(job), money.MustParse("0.1")))
	ids := r.occurrence("create")
	r.settle()
	if op := r.want(ids[0], planner.Applied); *op.Cost != money.MustParse(jobCost) {
		t.Errorf("it cost %s, want %s", op.Cost, jobCost)
	}
	alerts, err := r.books.Alerts(t.Context())
	r.must(err)
	if len(alerts) != 1 || alerts[0].Subject != "overrun:signs" {
		t.Errorf("alerts are %v, want one of the overrun", alerts)
	}
	r.agree()

	r.clock.advance(time.Minute)
	ids = r.occurrence("create")
	r.settle()
	r.want(ids[0], planner.Skipped) // the price is known now, and the cap is passed
	r.agree()
}

func TestManyCampaignsUnderOneFileBudget(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	file := &campaigns.Budget{Cap: money.MustParse("2.65"), Per: campaigns.PerTotal, Timezone: "UTC"}
	var ids []string
	for i := range 4 {
		c := campaign()
		c.Name, c.FileBudget = fmt.Sprintf("c%d", i), file
		r.must(r.books.Register(t.Context(), r.clock.now(), c))
		ids = append(ids, r.plan(planner.Expand(c, &c.Actions[0], r.clock.now(), nil)...)...)
	}
	r.settle()
	applied := 0
	for _, id := range ids {
		if r.op(id).State == planner.Applied {
			applied++
		}
	}
	if applied != 4 {
		t.Errorf("%d jobs were made, want the 4 that fit", applied)
	}
	b, err := r.books.Budget(t.Context(), journal.Limit{Scope: journal.FileScope("file"), Window: "total", Cap: file.Cap})
	r.must(err)
	r.equal("committed", b.Committed(), file.Cap)
	r.equal("charged", r.box.Books().Charged, file.Cap)
}

// parkedPurchase leaves the first job with a purchase that waits for a person,
// done or not.
func parkedPurchase(r *rig, done bool) (job int64, id string) {
	r.t.Helper()
	r.spec.Items = r.spec.Items[:1]
	r.budgeted(campaigns.Budget{Cap: 10 * money.Dollar})
	job = r.created()
	r.clock.advance(time.Minute)
	fault := "drop_before"
	if done {
		fault = "drop_after"
	}
	r.faults("add_seats:" + fault + "@1")
	ids := r.occurrence("add_seats")
	r.step()
	op := r.want(ids[0], planner.Unknown)
	_, err := r.books.Settle(r.t.Context(), journal.Settlement{
		Op: op, From: planner.Unknown, Stamp: "parked", To: planner.Parked, Now: r.clock.now(), JobID: job, Error: "who knows",
	})
	r.must(err)
	return job, ids[0]
}

func TestAParkedPurchaseKeepsNoJobFromBeingPaused(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"that was done": true, "that was not done": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			job, id := parkedPurchase(r, done)
			r.clock.advance(time.Minute)
			pauses := r.occurrence("pause")
			more := r.occurrence("add_seats")
			r.carry(pauses)
			r.want(pauses[0], planner.Applied)
			if j, _ := r.box.Job(job); j.Status != sandbox.JobFinished {
				t.Errorf("the job is %d, want finished", j.Status)
			}
			own, err := r.books.Job(t.Context(), job)
			r.must(err)
			if own.Lane != id || own.Status != journal.JobFinished {
				t.Errorf("the job is %s and held by %q, want finished and held by %s", own.Status, own.Lane, id)
			}
			for _, m := range more {
				if op := r.op(m); op.State == planner.Sending || op.Attempts > 0 {
					t.Errorf("a purchase got past the parked one: %s", op.State)
				}
			}
			op := r.op(id)
			s := journal.Settlement{
				Op: op, From: planner.Parked, Stamp: "a person", To: planner.Rejected, Now: r.clock.now(), JobID: job,
			}
			if done {
				s.To, s.Cost = planner.Applied, &op.Reserved
			}
			_, err = r.books.Settle(t.Context(), s)
			r.must(err)
			r.settle()
			r.equal("the balance by the books", mustAccount(r).Expected(), r.box.Books().Balance)
			b := r.budget()
			r.equal("committed", b.Committed(), 0)
			r.equal("unknown", b.Unknown, 0)
			r.ledgered(t.Context())
		})
	}
}

// carry performs some operations until they are settled.
func (r *rig) carry(ids []string) {
	r.t.Helper()
	for range 50 {
		_, err := r.exec.Perform(r.t.Context(), ids)
		r.must(err)
		r.clock.advance(30 * time.Second)
		r.box.Tick()
	}
}

func mustAccount(r *rig) journal.Account {
	r.t.Helper()
	account, err := r.books.Account(r.t.Context())
	r.must(err)
	return account
}

func TestASenderThatDiedWithinAPauseLeavesItsRefundMeasurable(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	job := r.created()
	apply(r, job, 4)
	r.clock.advance(time.Minute)
	ids := r.occurrence("pause")
	dying := r.executor(func(c *executor.Config) { c.Journal = deaf{r.books} })
	if _, err := dying.Perform(t.Context(), ids); !errors.Is(err, errKilled) {
		t.Fatalf("perform: %v, want %v", err, errKilled)
	}
	r.settle()
	op := r.want(ids[0], planner.Applied)
	if last := op.History()[len(op.History())-1]; !strings.Contains(last.Note, "measured") {
		t.Errorf("the refund was found so: %q", last.Note)
	}
	r.agree()
}
