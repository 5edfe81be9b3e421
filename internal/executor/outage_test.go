package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// many gives the campaign as many items, and the rig an executor that makes one
// request at a time.
func (r *rig) many(n int) {
	r.t.Helper()
	r.spec.Items = nil
	for i := range n {
		r.spec.Items = append(r.spec.Items, campaigns.Item{Key: fmt.Sprintf("item-%02d", i)})
	}
	r.register()
	r.exec = r.executor(func(c *executor.Config) { c.Concurrency = 1 })
}

func TestAMarketplaceThatIsDownIsAskedByOneProbeAtATime(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"500_before", "drop_before", "html_200_after", "redirect_302"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.many(1)
			r.created() // its price is known: from here on creates cost one request
			r.clock.advance(time.Minute)
			r.many(40)
			r.faults("create:" + fault + "=1")
			ids := r.occurrence("create")
			before := r.box.Traffic().Received["create"]
			sent := func() uint64 { return r.box.Traffic().Received["create"] - before }
			_, err := r.exec.Perform(t.Context(), ids)
			r.must(err)
			// It opens at the fifth; up to three more are in hand at that moment.
			first := sent()
			if first < 5 || first > 8 {
				t.Errorf("%d creates arrived before the breaker opened, want 5 to 8", first)
			}
			for range 3 {
				r.clock.advance(35 * time.Second) // longer than any pause of the breaker
				n := sent()
				_, err := r.exec.Perform(t.Context(), ids)
				r.must(err)
				if got := sent() - n; got != 1 {
					t.Errorf("%d creates arrived after a pause, want one probe", got)
				}
			}
			alerts, err := r.books.Alerts(t.Context())
			r.must(err)
			if len(alerts) != 1 || !strings.Contains(alerts[0].Message, "in a row; one request at a time") {
				t.Errorf("alerts are %v", alerts)
			}
			waiting := 0
			for _, id := range ids {
				if op := r.op(id); op.State == planner.Queued && op.Attempts == 0 {
					waiting++
				}
			}
			if want := len(ids) - int(first) - 3; waiting != want {
				t.Errorf("%d operations wait without an attempt, want %d", waiting, want)
			}
			r.faults("")
			r.settle()
			for _, id := range ids {
				r.want(id, planner.Applied)
			}
			if alerts, err = r.books.Alerts(t.Context()); err != nil || len(alerts) != 0 {
				t.Errorf("alerts are left: %v %v", alerts, err)
			}
		})
	}
}

func TestAFewDoubtfulAnswersHoldNothingBack(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.many(12)
	r.faults("create:500_before@1,create:drop_after@3,create:502_html_after@4,create:500_after@5,create:drop_before@6,create:500_before@8")
	ids := r.occurrence("create")
	_, err := r.exec.Perform(t.Context(), ids)
	r.must(err)
	if n := r.box.Traffic().Received["create"]; n != 12 {
		t.Errorf("%d creates arrived, want 12: no run of failures was long enough", n)
	}
	r.settle()
	r.agree()
}

func TestAWishForAPauseIsHeeded(t *testing.T) {
	t.Parallel()
	for fault, state := range map[string]planner.State{"429(20m)": planner.Queued, "503(20m)": planner.Unknown} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.many(1)
			r.faults("create:" + fault + "@1")
			ids := r.occurrence("create")
			_, err := r.exec.Perform(t.Context(), ids)
			r.must(err)
			op := r.want(ids[0], state)
			if wait := op.Due.Sub(r.clock.now()); wait < 20*time.Minute || wait > 21*time.Minute {
				t.Errorf("it waits for %s, want 20m and a little", wait)
			}
			r.settle()
			r.want(ids[0], planner.Applied)
			r.agree()
		})
	}
}

func TestAMarketplaceThatIsDownMaySayForHowLong(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.many(12)
	r.faults("create:503(20m)=1")
	ids := r.occurrence("create")
	r.must2(r.exec.Perform(t.Context(), ids))
	sent := r.box.Traffic().Received["create"]
	r.clock.advance(2 * time.Minute) // longer than any pause of the breaker's own
	r.must2(r.exec.Perform(t.Context(), ids))
	if now := r.box.Traffic().Received["create"]; now != sent {
		t.Errorf("%d creates arrived within the pause that it asked for", now-sent)
	}
	r.faults("")
	r.settle()
	r.agree()
}

func TestAnOperationThatIsTurnedAwayForEverIsGivenUp(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.many(1)
	r.faults("create:429(1s)=1")
	ids := r.occurrence("create")
	r.settle()
	op := r.want(ids[0], planner.Rejected)
	if op.Attempts != 20 || !strings.Contains(op.Error, "given up after 20 requests") {
		t.Errorf("it ended after %d attempts: %s", op.Attempts, op.Error)
	}
	r.agree()
	r.faults("create:429(1s)@1")
	r.must(r.books.Retry(t.Context(), r.clock.now(), ids[0], "a person asked to try again"))
	r.settle()
	r.want(ids[0], planner.Applied)
	r.agree()
}

func TestAnOutageWithoutAConnectionUsesUpNoTries(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.many(1)
	ids := r.occurrence("create")
	r.faults("create:401=1")
	for range 60 {
		r.step()
	}
	if op := r.want(ids[0], planner.Queued); op.Attempts < 25 {
		t.Errorf("only %d attempts, so the test tells nothing", op.Attempts)
	}
	r.faults("")
	r.settle()
	r.want(ids[0], planner.Applied)
	r.agree()
}

// defective is a marketplace client with a defect that some items run into.
type defective struct {
	*api.Client
	quote, create bool
}

func (d *defective) Quote(ctx context.Context, job api.NewJob) (api.Quote, error) {
	if d.quote && strings.Contains(job.Title, "bad") {
		panic("a defect in a quote")
	}
	return d.Client.Quote(ctx, job)
}

func (d *defective) CreateJob(ctx context.Context, job api.NewJob) (api.Receipt, error) {
	if d.create && strings.Contains(job.Title, "bad") {
		_, _ = d.Client.CreateJob(ctx, job)
		panic("a defect in a create")
	}
	return d.Client.CreateJob(ctx, job)
}

func TestADefectThatOneOperationRunsIntoStaysWithIt(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]defective{"before it is sent": {quote: true}, "while it is sent": {create: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.spec.Job.Title = "Signs {{ .key }}"
			r.spec.Items = []campaigns.Item{
				{Key: "good", Fields: map[string]string{"key": "good"}}, {Key: "bad", Fields: map[string]string{"key": "bad"}},
				{Key: "fine", Fields: map[string]string{"key": "fine"}},
			}
			r.register()
			d.Client = r.market
			// One request at a time, so that a place that was lost would be missed.
			r.exec = r.executor(func(c *executor.Config) { c.Market, c.Concurrency = &d, 1 })
			ids := r.occurrence("create")
			bad := ids[slices.IndexFunc(ids, func(id string) bool { return strings.Contains(id, "/bad/") })]
			first := ids
			if d.quote {
				first = []string{bad} // the others would ask for its price too
			}
			_, err := r.exec.Perform(t.Context(), first)
			r.must(err)
			if op := r.op(bad); !strings.Contains(op.Error, "a defect of this program") {
				t.Errorf("%s is %s: %q", bad, op.State, op.Error)
			}
			for _, id := range first {
				if id != bad {
					r.want(id, planner.Applied)
				}
			}
			alerts, err := r.books.Alerts(t.Context())
			r.must(err)
			if len(alerts) == 0 || !strings.Contains(alerts[0].Message, bad) {
				t.Errorf("alerts are %v, want one of %s", alerts, bad)
			}
			d.quote = false
			r.settle()
			for _, id := range ids {
				r.want(id, planner.Applied)
			}
			r.agree()
		})
	}
}

func TestAnOperationThatCannotBeReadBlocksNoOther(t *testing.T) {
	t.Parallel()
	for name, field := range map[string][2]string{
		"document": {"d", `{"id":`}, "attempts": {"n", "many"}, "money": {"qt", "1.5e3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			ids := r.occurrence("create")
			key := ""
			for _, k := range r.redis.Keys() {
				if strings.HasSuffix(k, "op:"+ids[1]) {
					key = k
				}
			}
			r.redis.HSet(key, field[0], field[1])
			next, err := r.exec.Perform(t.Context(), ids)
			r.must(err)
			if len(next) != 0 {
				t.Errorf("there is more to do: %v", next)
			}
			r.want(ids[0], planner.Applied)
			r.want(ids[2], planner.Applied)
			if op := r.want(ids[1], planner.Queued); op.Damage == nil {
				t.Error("its damage is not told")
			}
			due, err := r.books.Open(t.Context(), planner.Queued, r.clock.now(), 10)
			r.must(err)
			if len(due) != 0 {
				t.Errorf("%v are due at once again", due)
			}
			alerts, err := r.books.Alerts(t.Context())
			r.must(err)
			if len(alerts) != 1 || !strings.Contains(alerts[0].Message, "damaged") {
				t.Errorf("alerts are %v", alerts)
			}
			if n := r.box.Traffic().Received["create"]; n != 2 {
				t.Errorf("%d creates arrived, want 2", n)
			}
		})
	}
}

func TestEvidenceThatCannotBeReadAsksAPerson(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.many(1)
	r.faults("create:drop_after@1")
	ids := r.occurrence("create")
	_, err := r.exec.Perform(t.Context(), ids)
	r.must(err)
	for _, k := range r.redis.Keys() {
		if strings.HasSuffix(k, "op:"+ids[0]) {
			r.redis.HSet(k, "ev", "{")
		}
	}
	r.settle()
	if op := r.want(ids[0], planner.Parked); !strings.Contains(op.Error, "damaged") {
		t.Errorf("the reason is %q", op.Error)
	}
}
