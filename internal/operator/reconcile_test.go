package operator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// anchored is a rig whose books know the balance that they began with.
func anchored(t *testing.T) *rig {
	t.Helper()
	r := setup(t)
	_, err := r.exec.Balance(t.Context())
	r.must(err)
	return r
}

// again makes a job a second time, as a request does that lands late.
func again(r *rig, id int64) int64 {
	r.t.Helper()
	job, ok := r.box.Job(id)
	if !ok {
		r.t.Fatalf("there is no job %d", id)
	}
	twin, err := r.box.AddJob(job)
	r.must(err)
	return twin
}

// byHand acts on a job as a person asks for it.
func (r *rig) byHand(job int64, kind planner.Kind, seats int) {
	r.t.Helper()
	_, err := r.ActOnJob(r.t.Context(), job, kind, seats)
	r.must(err)
	r.drain()
}

func (r *rig) reconciled() *operator.Audit {
	r.t.Helper()
	a, err := r.Reconcile(r.t.Context())
	r.must(err)
	r.drain()
	return a
}

// alerts are the texts of all alerts, by subject.
func (r *rig) alerts() map[string]string {
	r.t.Helper()
	all, err := r.journal.Alerts(r.t.Context())
	r.must(err)
	out := map[string]string{}
	for _, a := range all {
		out[a.Subject] = a.Message
	}
	return out
}

// clean checks that the next audit finds nothing and leaves no alert, and that
// our books are the marketplace's.
func (r *rig) clean() {
	r.t.Helper()
	r.advance(time.Hour)
	if a := r.reconciled(); !a.Clean() {
		r.t.Errorf("the next audit finds %+v", a)
	}
	for subject, text := range r.alerts() {
		if strings.HasPrefix(subject, "audit") {
			r.t.Errorf("alert %s is left: %s", subject, text)
		}
	}
	a, err := r.journal.Account(r.t.Context())
	r.must(err)
	if b := r.box.Books(); a.Expected() != b.Balance || a.Inflight != 0 {
		r.t.Errorf("the balance is %s by the books, with %d in flight, and %s in truth", a.Expected(), a.Inflight, b.Balance)
	}
}

func TestOfTwoJobsWithOneMarkerTheYoungerIsPaused(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A, B")))
	first := r.box.Books().Jobs[0].JobID
	twin := again(r, first)
	dry, err := r.Audit(t.Context())
	r.must(err)
	if len(dry.Duplicates) != 1 || len(dry.Duplicates[0].Paused) != 0 || len(r.alerts()) != 0 {
		t.Errorf("looking alone did %+v and told %v", dry.Duplicates, r.alerts())
	}
	a := r.reconciled()
	if len(a.Duplicates) != 1 || a.Duplicates[0].Kept != first || len(a.Duplicates[0].Paused) != 1 || a.Duplicates[0].Paused[0] != twin {
		t.Errorf("duplicates: %+v", a.Duplicates)
	}
	if a.Clean() {
		t.Error("an audit that found a duplicate calls itself clean")
	}
	found := false
	for subject, text := range r.alerts() {
		found = found || strings.HasPrefix(subject, "audit:duplicate:ref:") && strings.Contains(text, "keeps its place")
	}
	if !found {
		t.Errorf("alerts: %v", r.alerts())
	}
	if j, _ := r.box.Job(first); j.Status != sandbox.JobOnline {
		t.Errorf("the older job is %d, want online", j.Status)
	}
	if j, _ := r.box.Job(twin); j.Status != sandbox.JobFinished {
		t.Errorf("the younger job is %d, want finished", j.Status)
	}
	own, err := r.journal.Job(t.Context(), twin)
	r.must(err)
	if own.Campaign != planner.ManualCampaign || own.Charged == 0 || own.Refunded != own.Charged {
		t.Errorf("the younger is in the books as %+v", own)
	}
	r.clean()
}

// A question for a price whose answer was lost may have made a job. The audit
// finds it by the marker of questions, once nobody can be about to take it back.
func TestTheJobOfALostQuestionIsTakenBack(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A, B")))
	r.advance(time.Second)
	job, _ := r.box.Job(r.box.Books().Jobs[0].JobID)
	job.Expected = []string{"Do it.", planner.QuestionMarker(r.now())}
	before := r.box.Books().Charged
	stray, err := r.box.AddJob(job)
	r.must(err)
	paid := r.box.Books().Charged - before
	if a := r.reconciled(); len(a.Unowned)+len(a.Duplicates) != 0 {
		t.Errorf("a question that may be on its way is told as %+v", a)
	}
	r.advance(3 * time.Minute)
	if a := r.reconciled(); len(a.Unowned) != 1 || a.Unowned[0].JobID != stray {
		t.Errorf("unowned: %+v, want job %d", a.Unowned, stray)
	}
	if j, _ := r.box.Job(stray); j.Status != sandbox.JobFinished {
		t.Errorf("the job of the question is %d, want finished", j.Status)
	}
	r.clean() // whose reading of the balance tells what came back
	own, err := r.journal.Job(t.Context(), stray)
	r.must(err)
	if own.Campaign != planner.ManualCampaign || own.Charged != paid || own.Refunded != paid {
		t.Errorf("it cost %s, and is in the books as %+v", paid, own)
	}
}

// How many seats a refund was for is open where it was estimated. Two looks at the
// job tell it, once; what differs after that is told.
func TestSeatsThatAnEstimateLeftOpenAreReadOnce(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A")))
	job := r.box.Books().Jobs[0].JobID
	r.must(r.box.FinishJob(job))
	r.advance(time.Minute)
	r.byHand(job, planner.Pause, 0)
	r.advance(time.Minute)
	r.byHand(job, planner.Resume, 4)
	more := func(seats int64) {
		t.Helper()
		r.must(r.box.EditJob(job, func(j *sandbox.Job) { j.Seats += seats }))
	}
	more(1)
	seats := func() *journal.Job {
		t.Helper()
		if a := r.reconciled(); len(a.SeatDifferences) != 0 {
			t.Errorf("told: %+v", a.SeatDifferences)
		}
		own, err := r.journal.Job(t.Context(), job)
		r.must(err)
		return own
	}
	r.must(r.journal.Remember(t.Context(), executor.FactSeats, ""))
	for range 2 {
		if own := seats(); own.Seats != 4 || !own.Vague {
			t.Errorf("before it is known what the number counts, the books have %d seats, vague: %t", own.Seats, own.Vague)
		}
	}
	r.must(r.journal.Remember(t.Context(), executor.FactSeats, string(executor.SeatsAreTotal)))
	if own := seats(); own.Seats != 4 || !own.Vague {
		t.Errorf("after one look the books have %d seats, vague: %t", own.Seats, own.Vague)
	}
	own := seats()
	if own.Seats != 5 || own.Vague {
		t.Errorf("the books have %d seats, vague: %t; want the 5 that there are", own.Seats, own.Vague)
	}
	more(2)
	if a := r.reconciled(); len(a.SeatDifferences) != 1 || a.SeatDifferences[0].Actual != 7 {
		t.Errorf("told: %+v, want 7 seats in place of 5", a.SeatDifferences)
	}
}

// A person may have bought seats of a twin before it was found.
func TestATwinWithOtherSeatsIsBookedAtItsOwnPrice(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A, B")))
	first := r.box.Books().Jobs[0].JobID
	job, _ := r.box.Job(first)
	before := r.box.Books().Charged
	job.Seats = 3
	twin, err := r.box.AddJob(job)
	r.must(err)
	paid := r.box.Books().Charged - before
	r.reconciled()
	own, err := r.journal.Job(t.Context(), twin)
	r.must(err)
	if own.Charged != paid || own.Refunded != paid {
		t.Errorf("the twin cost %s, and is in the books as %+v", paid, own)
	}
	r.clean()
}

func TestATwinThatTheBooksHaveGivesWayToTheOlder(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	// The first request lands, and nobody hears of it; a person says that it did not.
	id := doubtful(r, "create:reset_after=1")
	older := r.box.Books().Jobs[0].JobID
	_, err := r.Resolve(t.Context(), id, operator.Word{Retry: true})
	r.must(err)
	r.drain()
	younger := r.box.Books().Jobs[1].JobID
	if own, err := r.journal.Job(t.Context(), younger); err != nil || own.Op != id {
		t.Fatalf("the books have %v for the younger: %v", own, err)
	}
	a := r.reconciled()
	if a.Duplicates[0].Kept != older || a.Duplicates[0].Paused[0] != younger {
		t.Errorf("duplicates: %+v", a.Duplicates)
	}
	own, err := r.journal.Job(t.Context(), older)
	r.must(err)
	if own.Op != id || own.Campaign != "signs" || own.Charged == 0 {
		t.Errorf("the older is in the books as %+v", own)
	}
	r.clean()
}

func TestACreateThatWasToldOfAWrongJobGetsItsOwn(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	plan, err := sandbox.ParseFaults("create:wrong_job_id@1")
	r.must(err)
	r.box.SetFaults(plan)
	r.apply(r.spec(signs("A")))
	right := r.box.Books().Jobs[0].JobID
	if _, err := r.journal.Job(t.Context(), right); err == nil {
		t.Fatal("it was told of the right job, so this shows nothing")
	}
	a := r.reconciled()
	if len(a.Misplaced) != 1 || a.Misplaced[0].Right != right || !a.Misplaced[0].Mended {
		t.Errorf("misplaced: %+v", a.Misplaced)
	}
	own, err := r.journal.Job(t.Context(), right)
	r.must(err)
	if own.Campaign != "signs" || own.Item != "A" || own.Seats != 10 || own.Status != journal.JobOnline {
		t.Errorf("the right job is in the books as %+v", own)
	}
	all, err := r.journal.AllJobs(t.Context())
	r.must(err)
	if len(all) != 1 {
		t.Errorf("the books have %d jobs, want 1", len(all))
	}
	ledger, err := r.journal.Ledger(t.Context())
	r.must(err)
	if len(ledger) != 1 || ledger[0].JobID != right {
		t.Errorf("the ledger has %+v, want one entry of job %d", ledger, right)
	}
	r.clean()
	r.balanced()
}

func TestAWrongJobOnWhichMoreWasBoughtNeedsAPerson(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A, B", "{do: add_seats, seats: 2, cron: '0 0 1 1 *'}")))
	_, err := r.Run(t.Context(), "signs", "add_seats")
	r.must(err)
	r.drain()
	// A person swaps the markers of two jobs, which looks like two answers mixed up.
	jobs := r.box.Books().Jobs
	a, b := jobs[0], jobs[1]
	r.must(r.box.EditJob(a.JobID, func(j *sandbox.Job) { j.Expected = []string{b.Marker} }))
	r.must(r.box.EditJob(b.JobID, func(j *sandbox.Job) { j.Expected = []string{a.Marker} }))
	found := r.reconciled()
	if len(found.Misplaced) != 2 || found.Misplaced[0].Mended || found.Misplaced[1].Mended {
		t.Errorf("misplaced: %+v", found.Misplaced)
	}
	if len(found.Duplicates) != 0 {
		t.Errorf("duplicates: %+v", found.Duplicates)
	}
	text := ""
	for subject, message := range r.alerts() {
		if strings.HasPrefix(subject, "audit:owner:") {
			text = message
		}
	}
	if !strings.Contains(text, "the books need a person") {
		t.Errorf("alerts: %v", r.alerts())
	}
	r.balanced()
}

func TestTwoAnswersMixedUpAreSorted(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A, B")))
	jobs := r.box.Books().Jobs
	a, b := jobs[0], jobs[1]
	r.must(r.box.EditJob(a.JobID, func(j *sandbox.Job) { j.Expected = []string{b.Marker} }))
	r.must(r.box.EditJob(b.JobID, func(j *sandbox.Job) { j.Expected = []string{a.Marker} }))
	r.reconciled()
	for _, id := range []int64{a.JobID, b.JobID} {
		own, err := r.journal.Job(t.Context(), id)
		r.must(err)
		job, _ := r.box.Job(id)
		if own.Marker() != planner.FindMarker(job.Expected) {
			t.Errorf("job %d carries %v and is in the books as %s", id, job.Expected, own.Op)
		}
	}
	r.clean()
	r.balanced()
}

func TestAJobInNobodysBooksIsToldWithWhatToDo(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	id := doubtful(r, "create:reset_after=1")
	op, err := r.journal.Get(t.Context(), id)
	r.must(err)
	if a := r.reconciled(); len(a.Unowned) != 0 {
		t.Errorf("a create that is still looking for its job is told: %+v", a.Unowned)
	}
	_, err = r.journal.Settle(t.Context(), journal.Settlement{
		Op: op, From: planner.Unknown, Stamp: "p", To: planner.Parked, Now: r.now(), Error: "who knows",
	})
	r.must(err)
	job := r.box.Books().Jobs[0].JobID
	r.reconciled()
	text := ""
	for subject, message := range r.alerts() {
		if strings.HasPrefix(subject, "audit:unowned:") {
			text = message
		}
	}
	if !strings.Contains(text, "enqueue resolve "+id+" --applied --job-id") {
		t.Errorf("alerts: %v", r.alerts())
	}
	_, err = r.Resolve(t.Context(), id, operator.Word{Applied: true, JobID: job})
	r.must(err)
	r.clean()
	r.balanced()
}

func TestADeletedJobIsNoticed(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A, B")))
	job := r.box.Books().Jobs[0].JobID
	r.must(r.box.DeleteJob(job))
	if a := r.reconciled(); len(a.Missing) != 0 {
		t.Errorf("a job that a copy might not show yet is missing: %+v", a.Missing)
	}
	r.advance(10 * time.Minute)
	if a := r.reconciled(); len(a.Missing) != 1 || a.Missing[0].JobID != job {
		t.Errorf("missing: %+v", a.Missing)
	}
	own, err := r.journal.Job(t.Context(), job)
	r.must(err)
	if own.Status != journal.JobGone {
		t.Errorf("it is %s in the books, want gone", own.Status)
	}
	if a := r.reconciled(); len(a.Missing) != 0 {
		t.Errorf("it is told again: %+v", a.Missing)
	}
}

func TestADriftIsToldUntilAPersonAcceptsIt(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("A")))
	r.box.Deposit(7_000_000)
	if a := r.reconciled(); a.Drift == nil || *a.Drift != 7_000_000 || a.Clean() {
		t.Errorf("the drift is %v", a.Drift)
	}
	if text := r.alerts()["audit:drift"]; !strings.Contains(text, "--accept-drift") {
		t.Errorf("alerts: %v", r.alerts())
	}
	got, err := r.AcceptDrift(t.Context())
	r.must(err)
	if got != 7_000_000 {
		t.Errorf("%s was accepted, want 7", got)
	}
	r.clean()
	if got, err := r.AcceptDrift(t.Context()); err != nil || got != 0 {
		t.Errorf("accepting nothing accepts %s: %v", got, err)
	}
}

func TestMoneyOnItsWayIsNoDrift(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	r.apply(r.spec(signs("Z")))
	id := doubtful(r, "create:reset_after=1")
	a := r.reconciled()
	if a.Drift == nil || *a.Drift == 0 || !a.Clean() {
		t.Errorf("with %s in doubt the audit finds %+v", id, a)
	}
	if _, err := r.AcceptDrift(t.Context()); err == nil || !strings.Contains(err.Error(), "on their way") {
		t.Errorf("a drift was accepted while money is on its way: %v", err)
	}
}

func TestAWindowThatRolledNeedsNobody(t *testing.T) {
	t.Parallel()
	r := anchored(t)
	text := strings.Replace(signs("A, B"), "{cap: 5}", "{cap: 5, per: day, pause_at: 1, resume: window}", 1)
	r.apply(r.spec(text))
	told := func() bool {
		t.Helper()
		st, err := r.Status(t.Context(), "")
		r.must(err)
		for _, a := range st.Attention {
			if a.Subject == "budget:signs" {
				return true
			}
		}
		return false
	}
	if !told() {
		t.Error("a closed budget is not told")
	}
	r.advance(24 * time.Hour)
	if told() {
		t.Error("the budget is told as closed in its next window")
	}
}
