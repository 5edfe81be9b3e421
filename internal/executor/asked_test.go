package executor_test

import (
	"context"
	"errors"
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

// dies is a journal that the process dies before writing to: the price it
// learned, or what lets the call through.
type dies struct {
	*journal.Journal
	keeping, beginning bool
}

func (d dies) KeepQuote(ctx context.Context, shape string, cost money.USD) error {
	if d.keeping {
		return errKilled
	}
	return d.Journal.KeepQuote(ctx, shape, cost)
}

func (d dies) Begin(ctx context.Context, s journal.Start) (journal.Passage, error) {
	if d.beginning {
		return journal.Passage{}, errKilled
	}
	return d.Journal.Begin(ctx, s)
}

// impatient takes over at once what another process has asked and not heard of.
func impatient(cfg *executor.Config) { cfg.AskWithin = time.Nanosecond }

// askedInEarnest is one create whose price question makes the job.
func askedInEarnest(t *testing.T) (*rig, []string) {
	t.Helper()
	r := setup(t, sandbox.Config{})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	r.faults("quote:ignore_get_cost@1")
	return r, r.occurrence("create")
}

func TestAProcessThatDiesAfterAQuoteMadeAJobLosesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		journal dies
		jobs    int
	}{
		"its price is known: that job is the create":     {dies{beginning: true}, 1},
		"its price is not known: that job is taken back": {dies{keeping: true}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, ids := askedInEarnest(t)
			c.journal.Journal = r.books
			dying := r.executor(func(cfg *executor.Config) { cfg.Journal = c.journal })
			if _, err := dying.Perform(t.Context(), ids); !errors.Is(err, errKilled) {
				t.Fatalf("perform: %v, want %v", err, errKilled)
			}
			if op := r.want(ids[0], planner.Queued); !op.Asked {
				t.Error("nothing tells that its price was asked for")
			}
			r.exec = r.executor(nil) // another process
			r.step()
			if n := r.box.Traffic().Received["jobs"]; n != 0 {
				t.Errorf("the job of a question that may be on its way was looked for %d times", n)
			}
			r.exec = r.executor(impatient)
			r.settle()
			if op := r.want(ids[0], planner.Applied); op.Asked {
				t.Error("its price is still being asked for")
			}
			jobs := r.box.Books().Jobs
			if len(jobs) != c.jobs {
				t.Fatalf("there are %d jobs, want %d", len(jobs), c.jobs)
			}
			online := 0
			for _, job := range jobs {
				if job.Status == sandbox.JobOnline {
					online++
				}
			}
			if online != 1 {
				t.Errorf("%d jobs are online, want 1", online)
			}
			r.equal("the balance by the books", mustAccount(r).Expected(), r.box.Books().Balance)
		})
	}
}

// overtaken is a journal at whose door another worker comes first.
type overtaken struct {
	*journal.Journal
	first func()
}

func (o *overtaken) Begin(ctx context.Context, s journal.Start) (journal.Passage, error) {
	if first := o.first; first != nil {
		o.first = nil
		first()
	}
	return o.Journal.Begin(ctx, s)
}

// Both workers know of the job that a quote made; the second must not take back
// what the first has booked, nor may it pause while nothing is to be sent.
func TestWhoComesSecondLeavesTheJobOfAQuoteAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(r *rig, ids []string)
		then      planner.State
	}{
		"another worker booked it": {func(r *rig, ids []string) {
			_, err := r.executor(impatient).Perform(t.Context(), ids)
			r.must(err)
		}, planner.Applied},
		"sends were frozen": {func(r *rig, _ []string) {
			r.must(r.books.Freeze(t.Context(), "", journal.Freeze{Holder: "h", Reason: "lost writes", At: r.clock.now()}))
		}, planner.Queued},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, ids := askedInEarnest(t)
			dying := r.executor(func(cfg *executor.Config) { cfg.Journal = dies{Journal: r.books, beginning: true} })
			if _, err := dying.Perform(t.Context(), ids); !errors.Is(err, errKilled) {
				t.Fatalf("perform: %v, want %v", err, errKilled)
			}
			second := r.executor(func(cfg *executor.Config) {
				impatient(cfg)
				cfg.Journal = &overtaken{r.books, func() { c.meanwhile(r, ids) }}
			})
			_, err := second.Perform(t.Context(), ids)
			r.must(err)
			r.want(ids[0], c.then)
			if n := r.box.Traffic().Received["pause"]; n != 0 {
				t.Errorf("the job was paused %d times", n)
			}
			if jobs := r.box.Books().Jobs; len(jobs) != 1 || jobs[0].Status != sandbox.JobOnline {
				t.Errorf("the jobs are %+v, want one that is online", jobs)
			}
		})
	}
}

func TestAQuoteInDoubtIsLookedFor(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"500_before", "drop_before", "html_200_after"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Items = r.spec.Items[:1]
			r.register()
			r.faults("quote:" + fault + "@1")
			ids := r.occurrence("create")
			_, err := r.exec.Perform(t.Context(), ids)
			r.must(err)
			if !r.op(ids[0]).Asked {
				t.Error("nothing tells of the question")
			}
			before := r.box.Traffic().Received["jobs"]
			r.settle()
			r.want(ids[0], planner.Applied)
			if r.box.Traffic().Received["jobs"] == before {
				t.Error("the marker was not looked for")
			}
			r.agree()
		})
	}
}

func TestNothingIsDoneToAJobWithTheMarkerOfAnother(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"add_seats", "update", "restart", "pause"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Items = r.spec.Items[:1]
			r.register()
			job := r.created()
			r.must(r.box.EditJob(job, func(j *sandbox.Job) {
				j.Expected = []string{planner.Marker("other", "create", "x", epoch)}
			}))
			suspected := 0
			r.exec = r.executor(func(c *executor.Config) { c.Suspect = func() { suspected++ } })
			r.clock.advance(time.Minute)
			ids := r.occurrence(action)
			for range 3 {
				r.step()
			}
			op := r.want(ids[0], planner.Queued)
			if !strings.Contains(op.Error, "the books expect") || suspected == 0 {
				t.Errorf("it waits because of %q, and %d times an audit was asked for", op.Error, suspected)
			}
			if n := r.box.Traffic().Received[action]; n != 0 {
				t.Errorf("%d requests arrived, want 0", n)
			}
		})
	}
}

func TestCreatesThatWereToldEachOthersJobsArePutRight(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.spec.Items = []campaigns.Item{{Key: "a"}}
	r.register()
	r.faults("create:wrong_job_id@1")
	first := r.occurrence("create") // it makes n and is told of n+1, which nobody has
	r.settle()
	op := r.want(first[0], planner.Applied)
	wrong := op.JobID
	r.clock.advance(time.Minute)
	r.spec.Items = []campaigns.Item{{Key: "b"}}
	r.register()
	second := r.occurrence("create") // it makes n+1 and is told so
	for range 3 {
		r.step()
	}
	r.want(second[0], planner.Unknown)
	right := r.box.Books().Jobs[0]
	got, err := r.books.Rehome(t.Context(), r.clock.now(), first[0], wrong, journal.Sighting{ID: right.JobID, Status: journal.JobOnline})
	r.must(err)
	if got != journal.Rehomed {
		t.Fatalf("rehomed: %s", got)
	}
	if again, err := r.books.Rehome(t.Context(), r.clock.now(), first[0], wrong, journal.Sighting{ID: right.JobID}); err != nil || again != journal.Rehomed {
		t.Errorf("a repeated correction says %s, %v", again, err)
	}
	r.settle()
	if op := r.want(second[0], planner.Applied); op.JobID != wrong {
		t.Errorf("the second has job %d, want %d", op.JobID, wrong)
	}
	r.agree()
}

// A job that a question made and that could not be paused is not forgotten: it is
// the create's, once that may go on.
func TestAJobOfAQuestionThatCannotBeTakenBackIsNotBoughtAgain(t *testing.T) {
	t.Parallel()
	r, ids := askedInEarnest(t)
	r.faults("quote:ignore_get_cost@1,pause:500_before@1")
	r.must(r.books.Stop(t.Context(), "lunch"))
	_, err := r.exec.Perform(t.Context(), ids)
	r.must(err)
	if op := r.want(ids[0], planner.Queued); !op.Asked {
		t.Error("the question that made a job is forgotten")
	}
	r.must(r.books.Stop(t.Context(), ""))
	_, err = r.books.Release(t.Context(), r.clock.now(), "signs")
	r.must(err)
	r.settle()
	op := r.want(ids[0], planner.Applied)
	jobs := r.box.Books().Jobs
	if len(jobs) != 1 || jobs[0].JobID != op.JobID || jobs[0].Status != sandbox.JobOnline {
		t.Errorf("the create has job %d of %+v, want the one that there is", op.JobID, jobs)
	}
	r.equal("the balance by the books", mustAccount(r).Expected(), r.box.Books().Balance)
}

// A question for the price of seats has no create that its job could be. It is
// paused, its fees are booked, and no other is asked for a day.
func TestAQuestionForSeatsThatMakesAJobIsAskedOnce(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{KeepFees: true})
	r.spec.Items = r.spec.Items[:1]
	r.register()
	own := r.created()
	r.clock.advance(time.Minute)
	r.faults("quote:ignore_get_cost=1")
	first := r.occurrence("add_seats")
	r.settle()
	r.want(first[0], planner.Rejected)
	jobs := r.box.Books().Jobs
	if len(jobs) != 2 || jobs[1].Status != sandbox.JobFinished || !planner.IsQuestion(jobs[1].Marker) {
		t.Fatalf("the jobs are %+v, want a second one that is paused and carries the marker of a question", jobs)
	}
	if made, _ := r.box.Job(jobs[1].JobID); len(made.Expected) != 2 {
		t.Errorf("its steps are %q, want one and the marker", made.Expected)
	}
	if _, err := r.exec.Balance(t.Context()); err != nil { // a quiet reading tells what came back
		t.Fatal(err)
	}
	theirs := r.box.Books()
	r.equal("the balance by the books", mustAccount(r).Expected(), theirs.Balance)
	for _, job := range theirs.Jobs {
		r.agreeOn(t.Context(), job)
	}
	if stray, err := r.books.Job(t.Context(), jobs[1].JobID); err != nil || stray.Campaign != planner.ManualCampaign || stray.Charged == stray.Refunded {
		t.Errorf("the job of the question is in the books as %+v, %v; want it by hand, with fees", stray, err)
	}

	asked := r.box.Traffic().Received["quote"]
	job, err := r.market.Job(t.Context(), own)
	r.must(err)
	if _, err := r.exec.QuoteSeats(t.Context(), job, 3); err == nil || !strings.Contains(err.Error(), "makes jobs of questions") {
		t.Errorf("another question is answered with %v", err)
	}
	if n := r.box.Traffic().Received["quote"]; n != asked {
		t.Errorf("%d questions were asked, want %d", n, asked)
	}
	r.faults("")
	r.clock.advance(24 * time.Hour)
	if _, err := r.exec.QuoteSeats(t.Context(), job, 3); err != nil {
		t.Errorf("a day later: %v", err)
	}
	if alerts, err := r.books.Alerts(t.Context()); err != nil || len(alerts) != 0 {
		t.Errorf("alerts are left: %v, %v", alerts, err)
	}
}

// Where only creates ask, their questions tell that get_cost is heeded again.
func TestACreateTellsThatGetCostIsHeededAgain(t *testing.T) {
	t.Parallel()
	r, ids := askedInEarnest(t)
	r.settle()
	job, err := r.market.Job(t.Context(), r.want(ids[0], planner.Applied).JobID)
	r.must(err)
	if _, err := r.exec.QuoteSeats(t.Context(), job, 3); err == nil {
		t.Error("a question that may buy was asked")
	}
	r.spec.Items, r.spec.Job.Seats = []campaigns.Item{{Key: "b"}}, 11
	r.register()
	r.clock.advance(time.Minute)
	r.occurrence("create")
	r.settle()
	if _, err := r.exec.QuoteSeats(t.Context(), job, 3); err != nil {
		t.Errorf("after a question that was answered: %v", err)
	}
}
