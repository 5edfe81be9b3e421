package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// sample looks at the budgets as a person does, over and over: no cap is
// exceeded at any moment. A Redis that is down answers nothing.
func (w *world) sample(ctx context.Context) {
	for ctx.Err() == nil {
		out, _, code := w.enqueue("budget", "-o", "json")
		if code == 0 {
			var budgets []operator.Budget
			if err := json.Unmarshal([]byte(out), &budgets); err != nil {
				w.fail("enqueue budget -o json: %v", err)
			}
			for _, b := range budgets {
				if held := b.Committed + b.Reserved + b.Unknown; held > b.Cap {
					w.fail("budget %s: %s committed, %s reserved, %s unknown exceed its cap of %s", b.Scope, b.Committed, b.Reserved, b.Unknown, b.Cap)
				}
			}
			w.count("budgets sampled", len(budgets))
		}
		select {
		case <-ctx.Done():
		case <-time.After(700 * time.Millisecond):
		}
	}
}

// verdicts is what was found: how many operations of a kind ended in doubt,
// and how many of these were left to a person.
type verdicts struct {
	ambiguous, parked map[planner.Kind]int
}

// judge holds the books against the marketplace's own.
func (w *world) judge() verdicts {
	w.t.Helper()
	ops, err := w.journal.Ops(w.t.Context(), journal.Filter{})
	must(w.t, err)
	var books sandbox.Books
	must(w.t, w.ask("/sandbox/books", &books))
	var traffic sandbox.Traffic
	must(w.t, w.ask("/sandbox/requests", &traffic))
	v := w.tally(ops, traffic)
	w.judgeRequests(ops, traffic)
	w.judgeCreates(ops, books)
	w.judgeRatings(books)
	if w.resolve(ops, books) > 0 { // what waited behind goes on
		w.quiesce()
		must(w.t, w.ask("/sandbox/books", &books))
	}
	ops, err = w.journal.Ops(w.t.Context(), journal.Filter{})
	must(w.t, err)
	w.judgeJobs(ops, books)
	w.judgeAudit()
	return v
}

// tally counts what happened and demands that creates and pauses are never
// left to a person.
func (w *world) tally(ops []*journal.Op, traffic sandbox.Traffic) verdicts {
	v := verdicts{ambiguous: map[planner.Kind]int{}, parked: map[planner.Kind]int{}}
	for _, op := range ops {
		w.count("ops "+string(op.State), 1)
		for _, e := range op.History() {
			if e.State == planner.Unknown {
				v.ambiguous[op.Kind]++
				break
			}
		}
		if op.State == planner.Parked {
			v.parked[op.Kind]++
			w.t.Logf("parked: %s (job %d): %s\n%s", op.ID, op.JobID, op.Error, past(op))
		}
		if op.Kind == planner.Create && op.State == planner.Rejected {
			w.fail("a create was rejected: %s: %s", op.ID, op.Error)
		}
	}
	for _, n := range traffic.Received {
		w.count("calls", int(n))
	}
	for _, n := range traffic.Faults {
		w.count("faults", int(n))
	}
	w.count("kinds of faults", len(traffic.Faults))
	for kind, n := range v.ambiguous {
		w.count("ambiguous "+string(kind), n)
	}
	for kind, n := range v.parked {
		w.count("parked "+string(kind), n)
	}
	for _, kind := range []planner.Kind{planner.Create, planner.Pause, planner.Update, planner.Restart} {
		if v.parked[kind] > 0 {
			w.fail("%d operations of kind %s were left to a person", v.parked[kind], kind)
		}
	}
	return v
}

// past is an operation's history on a few lines.
func past(op *journal.Op) string {
	var b strings.Builder
	for _, e := range op.History() {
		amount := ""
		if e.Amount != nil {
			amount = e.Amount.String() + " USD "
		}
		fmt.Fprintf(&b, "    %s %s attempt %d: %s%s %s\n", time.UnixMilli(e.At).Format("15:04:05.000"), e.State, e.Attempt, amount, e.Note, e.Evidence)
	}
	return b.String()
}

// route is the endpoint that an operation's one request goes to.
func route(op *journal.Op) string {
	if op.Kind == planner.Rate {
		return fmt.Sprintf("rate /api/v1/application/%d/set", op.Rating.ApplicationID)
	}
	verb := map[planner.Kind]string{planner.AddSeats: "add_seat"}[op.Kind]
	if verb == "" {
		verb = string(op.Kind)
	}
	return fmt.Sprintf("%s /api/v1/job/%d/%s", op.Kind, op.JobID, verb)
}

// judgeRequests demands at most one request for each attempt of an operation.
func (w *world) judgeRequests(ops []*journal.Op, traffic sandbox.Traffic) {
	allowed := map[string]int{}
	for _, op := range ops {
		if op.Kind == planner.Create {
			allowed["create "+op.Marker()] += op.Attempts
			continue
		}
		allowed[route(op)] += op.Attempts
	}
	sent := map[string]int{}
	for _, r := range traffic.Requests {
		switch r.Route {
		case "create":
			sent["create "+r.Marker]++
		case "add_seats", "resume", "pause", "restart", "update", "rate":
			sent[r.Route+" "+r.Path]++
		}
	}
	for what, n := range sent {
		if n > allowed[what] {
			w.fail("%s was sent %d times in %d attempts", what, n, allowed[what])
		}
		w.count("changes sent", n)
	}
}

// judgeCreates demands one job for each create that is done, and none else.
func (w *world) judgeCreates(ops []*journal.Op, books sandbox.Books) {
	states := map[string]planner.State{}
	for _, op := range ops {
		if op.Kind == planner.Create {
			states[op.Marker()] = op.State
		}
	}
	for marker, n := range books.Creates {
		if n > 1 {
			w.fail("marker %s was created %d times", marker, n)
		}
		if states[marker] != planner.Applied {
			w.fail("marker %s was created, and its operation is %q", marker, states[marker])
		}
	}
	for marker, state := range states {
		if state == planner.Applied && books.Creates[marker] != 1 {
			w.fail("the create of marker %s is applied, and the marketplace has no such job", marker)
		}
	}
}

// resolve ends each parked operation as a person does who asks the marketplace:
// by what it says was bought. It returns how many there were.
func (w *world) resolve(ops []*journal.Op, books sandbox.Books) (parked int) {
	bought, made := map[int64]int64{}, map[string]int64{}
	for _, j := range books.Jobs {
		bought[j.JobID], made[j.Marker] = j.Bought, j.JobID
	}
	asked := seatsAsked(ops)
	for _, op := range ops {
		if op.State != planner.Parked {
			continue
		}
		parked++
		args := []string{"resolve", op.ID, "--not-applied"}
		if job := made[op.Marker()]; op.Kind == planner.Create && job != 0 {
			args = []string{"resolve", op.ID, "--applied", "--cost", op.Reserved.String(), "--job-id", fmt.Sprint(job)}
		} else if op.Kind != planner.Create && op.Kind.Paying() && bought[op.JobID] == asked[op.JobID]+int64(op.Seats) {
			args = []string{"resolve", op.ID, "--applied", "--cost", op.Reserved.String()}
		}
		if _, stderr, code := w.enqueue(args...); code != 0 {
			w.fail("%v exits %d: %s", args, code, stderr)
		}
	}
	return parked
}

// seatsAsked are the seats that applied operations bought, by job.
func seatsAsked(ops []*journal.Op) map[int64]int64 {
	asked := map[int64]int64{}
	for _, op := range ops {
		if op.State != planner.Applied {
			continue
		}
		switch op.Kind {
		case planner.Create:
			asked[op.JobID] += createdSeats[op.Campaign]
		case planner.AddSeats, planner.Resume:
			asked[op.JobID] += int64(op.Seats)
		}
	}
	return asked
}

// createdSeats are the seats of new jobs in the spec.
var createdSeats = map[string]int64{"bulk": 3, "cycle": 4, "edge": 2, "mass": 600}

// judgeJobs compares seats and money job by job.
func (w *world) judgeJobs(ops []*journal.Op, books sandbox.Books) {
	asked := seatsAsked(ops)
	ledger, err := w.journal.Ledger(w.t.Context())
	must(w.t, err)
	charged, refunded := map[int64]money.USD{}, map[int64]money.USD{}
	for _, e := range ledger {
		switch e.Kind {
		case "charge":
			charged[e.JobID] += e.Amount
		case "refund":
			refunded[e.JobID] += e.Amount
		default:
			w.fail("the ledger has a %s of %s for operation %s", e.Kind, e.Amount, e.OpID)
		}
	}
	for _, j := range books.Jobs {
		if j.Bought != asked[j.JobID] {
			w.fail("job %d: %d seats were bought, %d asked for\n%s", j.JobID, j.Bought, asked[j.JobID], w.story(j, ops))
		}
		if j.Charged != charged[j.JobID] {
			w.fail("job %d: %s were charged, the books have %s\n%s", j.JobID, j.Charged, charged[j.JobID], w.story(j, ops))
		}
		if j.Refunded != refunded[j.JobID] {
			w.fail("job %d: %s came back, the books have %s\n%s", j.JobID, j.Refunded, refunded[j.JobID], w.story(j, ops))
		}
		w.count("jobs", 1)
		w.count("seats", int(j.Bought))
	}
	w.count("charged in cents", int(books.Charged/10_000))
}

// story is all that happened to a job, by both.
func (w *world) story(j sandbox.JobBooks, ops []*journal.Op) string {
	var b strings.Builder
	for _, e := range j.Effects {
		if e.Kind != "rate" && e.Kind != "filled" {
			fmt.Fprintf(&b, "  effect %s: %d seats, %s charged, %s refunded (request %d)\n", e.Kind, e.Seats, e.Charged, e.Refunded, e.Request)
		}
	}
	for _, op := range ops {
		if op.JobID == j.JobID && op.Kind.MovesMoney() {
			fmt.Fprintf(&b, "  %s is %s: %s\n%s", op.ID, op.State, op.Error, past(op))
		}
	}
	return b.String()
}

// judgeAudit asks the product itself.
func (w *world) judgeAudit() {
	out, stderr, code := w.enqueue("audit", "-o", "json")
	var a operator.Audit
	if err := json.Unmarshal([]byte(out), &a); err != nil || code != 0 && code != 4 {
		w.fail("audit exits %d: %v: %s%s", code, err, out, stderr)
		return
	}
	if code != 0 || a.Drift == nil || *a.Drift != 0 {
		w.fail("audit exits %d: %s%s", code, out, stderr)
	}
}
