package operator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestPauseRefundsAndResumeGoesOn(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	r.apply(r.spec(signs("A, B", `{do: resume, seats: 2, cron: "0 7 * * *"}`)))
	done, err := r.Pause(ctx, "signs", "too dear", false)
	r.must(err)
	if done.Pausing != 2 {
		t.Errorf("%d jobs are being paused, want 2", done.Pausing)
	}
	if _, err := r.Run(ctx, "signs", "resume"); err == nil || !strings.Contains(err.Error(), "enqueue resume signs") {
		t.Errorf("an action of a paused campaign ran: %v", err)
	}
	r.drain()
	r.balanced()
	st, err := r.Status(ctx, "signs")
	r.must(err)
	if c := st.Campaigns[0]; c.State != journal.Paused || c.Reason != "too dear" || c.Budget.Committed != 0 || c.Next != nil {
		t.Errorf("it is %s for %q, has committed %s and comes next at %v", c.State, c.Reason, c.Budget.Committed, c.Next)
	}
	up, err := r.Resume(ctx, "signs")
	r.must(err)
	if up.Offline != 2 {
		t.Errorf("%d jobs stay finished, want 2", up.Offline)
	}
	started, err := r.Run(ctx, "signs", "resume")
	r.must(err)
	r.drain()
	for _, op := range started.Operations {
		d, err := r.Operation(ctx, op.ID)
		r.must(err)
		if d.State != planner.Applied || d.Cost.String() != "0.1325" {
			t.Errorf("%s is %s at %v", d.ID, d.State, d.Cost)
		}
	}
	r.balanced()
}

func TestStopHoldsEverything(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	files := r.spec(signs("A"))
	r.apply(files)
	_, err := r.StopAll(ctx, "")
	r.must(err)
	r.drain()
	p := r.apply(r.spec(signs("A, B")))
	if p.States[planner.Queued] != 1 {
		t.Errorf("while everything is stopped a create ended as %v", p.States)
	}
	at, err := r.Attention(ctx, "")
	r.must(err)
	if len(at) == 0 || at[0].Subject != "stop" {
		t.Errorf("nobody is told of the stop: %v", at)
	}
	up, err := r.ResumeAll(ctx)
	r.must(err)
	r.drain()
	if up.Released != 1 || len(r.box.Books().Jobs) != 2 {
		t.Errorf("%d operations were released, and there are %d jobs", up.Released, len(r.box.Books().Jobs))
	}
	r.balanced()
}

func TestRetry(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	small := strings.Replace(signs("A"), "cap: 5", "cap: 0.5", 1)
	if p := r.apply(r.spec(small)); p.States[planner.Skipped] != 1 || !p.Wanting() {
		t.Fatalf("a create beyond its cap ended as %v", p.States)
	}
	id := "signs/create/A/20261102T080000Z"
	r.apply(r.spec(signs("A")))
	started, err := r.Retry(ctx, id)
	r.must(err)
	if op := started.Operations[0]; op.State != planner.Queued || op.SettledAt != nil || op.Error != nil {
		t.Errorf("it is %s, settled at %v, with the error %v", op.State, op.SettledAt, op.Error)
	}
	r.drain()
	if _, err := r.Retry(ctx, id); err == nil || !strings.Contains(err.Error(), "is applied") {
		t.Errorf("an applied create was tried again: %v", err)
	}
	if n := len(r.box.Books().Jobs); n != 1 {
		t.Errorf("there are %d jobs", n)
	}
	r.balanced()
}

// doubtful applies a campaign whose one create gets no answer.
func doubtful(r *rig, fault string) (id string) {
	r.t.Helper()
	plan, err := sandbox.ParseFaults(fault)
	r.must(err)
	p := r.plan(r.spec(signs("A")))
	r.box.SetFaults(plan)
	_, err = r.Apply(r.t.Context(), p)
	r.must(err)
	r.mu.Lock()
	next := r.next
	r.next = nil
	r.mu.Unlock()
	_, err = r.exec.Perform(r.t.Context(), []string{next[0].ID})
	r.must(err)
	r.box.SetFaults(nil)
	return next[0].ID
}

func TestResolve(t *testing.T) {
	t.Parallel()
	t.Run("applied books the job and its cost", func(t *testing.T) {
		t.Parallel()
		r := setup(t)
		id := doubtful(r, "create:reset_after=1")
		job := r.box.Books().Jobs[0].JobID
		if _, err := r.Retry(t.Context(), id); err == nil {
			t.Errorf("an operation in doubt was tried again")
		}
		if _, err := r.Resolve(t.Context(), id, operator.Word{Applied: true}); err == nil || !strings.Contains(err.Error(), "--job-id") {
			t.Errorf("a create was booked without its job: %v", err)
		}
		done, err := r.Resolve(t.Context(), id, operator.Word{Applied: true, JobID: job})
		r.must(err)
		if op := done.Operations[0]; op.State != planner.Applied || *op.JobID != job {
			t.Errorf("it is %s, of job %v", op.State, op.JobID)
		}
		r.balanced()
		a, err := r.Audit(t.Context())
		r.must(err)
		if !a.Clean() {
			t.Errorf("the audit finds %+v", a)
		}
	})
	t.Run("not applied frees the money and may be sent again", func(t *testing.T) {
		t.Parallel()
		r := setup(t)
		id := doubtful(r, "create:drop_before=1")
		_, err := r.Resolve(t.Context(), id, operator.Word{Retry: true})
		r.must(err)
		r.drain()
		if n := len(r.box.Books().Jobs); n != 1 {
			t.Errorf("there are %d jobs", n)
		}
		r.balanced()
		if _, err := r.Resolve(t.Context(), id, operator.Word{}); err == nil {
			t.Errorf("a settled operation took a person's word")
		}
	})
}

func TestAuditFindsDifferences(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(r.spec(signs("A, B")))
	jobs := r.box.Books().Jobs
	r.must(r.box.BuySeats(jobs[0].JobID, 3))
	_, err := r.box.AddJob(sandbox.Job{Title: "Copy", Price: 50_000, Seats: 1, Category: 201, Country: "INT", Expected: []string{jobs[1].Marker}})
	r.must(err)
	a, err := r.Audit(t.Context())
	r.must(err)
	if len(a.Duplicates) != 1 || a.Duplicates[0].Jobs[0] != jobs[1].JobID {
		t.Errorf("duplicates: %+v", a.Duplicates)
	}
	if len(a.SeatDifferences) != 1 || a.SeatDifferences[0].Expected != 10 || a.SeatDifferences[0].Actual != 13 {
		t.Errorf("seat differences: %+v", a.SeatDifferences)
	}
	if len(a.Unowned) != 1 || a.Unowned[0].Title != "Copy" {
		t.Errorf("unowned: %+v", a.Unowned)
	}
}

func TestDecisionsOfAFile(t *testing.T) {
	t.Parallel()
	t.Run("all faults are told at once", func(t *testing.T) {
		t.Parallel()
		_, err := operator.ReadDecisions(strings.NewReader(
			"application_id,verdict,reason\n1,approve,\n2,decline,\nx,approve,\n1,approve,\n3,maybe,\n2,approve,\n"))
		for _, want := range []string{
			"line 3: a verdict of decline needs a reason", `line 4: "x" is not the id`,
			"line 5: application 1 was decided on line 2", `line 6: "maybe" is none of`,
			"line 7: application 2 was decided on line 3", // wrong as that is
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not tell %q", err, want)
			}
		}
	})
	t.Run("only what waits in the campaign is rated, once", func(t *testing.T) {
		t.Parallel()
		r := setup(t)
		ctx := t.Context()
		r.apply(r.spec(signs("A")))
		job := r.box.Books().Jobs[0].JobID
		apps, err := r.box.AddApplications(job, 2)
		r.must(err)
		list := []operator.Decision{
			{ApplicationID: apps[0], Verdict: campaigns.Approve}, {ApplicationID: apps[1], Verdict: campaigns.Decline, Reason: "no"},
		}
		checked, err := r.CheckDecisions(ctx, "signs", list)
		r.must(err)
		_, err = r.Rate(ctx, "signs", checked)
		r.must(err)
		r.drain()
		for i, want := range []sandbox.AppStatus{sandbox.AppApproved, sandbox.AppDeclined} {
			if app, _ := r.box.Application(apps[i]); app.Status != want {
				t.Errorf("application %d has status %d, want %d", apps[i], app.Status, want)
			}
		}
		_, err = r.CheckDecisions(ctx, "signs", []operator.Decision{
			{ApplicationID: apps[0], Verdict: campaigns.Redo, Reason: "again"}, {ApplicationID: apps[1], Verdict: campaigns.Decline, Reason: "no"},
			{ApplicationID: 99, Verdict: campaigns.Approve},
		})
		if err == nil || !strings.Contains(err.Error(), "is approved, and waits") || !strings.Contains(err.Error(), "99 does not exist") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestReviewAndDryRun(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	r.apply(r.spec(signs("A", `{do: rate, every: 6h, rules: [{when: 'true', verdict: approve}]}`)))
	job := r.box.Books().Jobs[0].JobID
	apps, err := r.box.AddApplications(job, 1)
	r.must(err)
	r.must(r.watch.Poll(ctx))
	would, err := r.Judged(ctx, "signs")
	r.must(err)
	if len(would) != 1 || would[0].Verdict != campaigns.Approve {
		t.Fatalf("the dry run says %+v", would)
	}
	if app, _ := r.box.Application(apps[0]); app.Status != sandbox.AppPending {
		t.Fatalf("a dry run rated")
	}
	r.advance(time.Hour)
	done, err := r.Operator.Review(ctx, "signs")
	r.must(err)
	r.drain()
	p, err := r.Track(done.Work).Look(ctx)
	r.must(err)
	if !p.Settled() || p.States[planner.Applied] != 1 {
		t.Errorf("the rating run ended as %+v", p)
	}
}

func TestByHand(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	files := r.spec(signs("A"))
	job, err := files[0].Campaigns[0].Render(files[0].Campaigns[0].Items[0])
	r.must(err)
	made, err := r.CreateJob(ctx, job)
	r.must(err)
	r.drain()
	d, err := r.Operation(ctx, made.Operations[0].ID)
	r.must(err)
	if d.State != planner.Applied || d.Campaign != planner.ManualCampaign || len(d.Charges) != 1 {
		t.Fatalf("the create by hand is %s of %s with %d charges", d.State, d.Campaign, len(d.Charges))
	}
	_, err = r.ActOnJob(ctx, *d.JobID, planner.AddSeats, 5)
	r.must(err)
	r.drain()
	if _, err := r.ActOnJob(ctx, *d.JobID, planner.Pause, 0); err != nil {
		t.Fatal(err)
	}
	r.drain()
	r.balanced()
	if made := len(r.box.Books().Jobs); made != 1 {
		t.Errorf("there are %d jobs", made)
	}
	// A journal that knows the job is not a lost one.
	if p := r.apply(files); p.States[planner.Applied] != 1 {
		t.Errorf("the first apply ended as %v", p.States)
	}
}

func TestUnknownNamesAreTold(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	if _, err := r.Status(ctx, "sings"); !errors.Is(err, journal.ErrNotFound) || !strings.Contains(err.Error(), "no campaign is") {
		t.Errorf("the error is %v", err)
	}
	r.apply(r.spec(signs("A")))
	if _, err := r.Status(ctx, "sings"); err == nil || !strings.Contains(err.Error(), `did you mean "signs"`) {
		t.Errorf("the error is %v", err)
	}
	if _, err := r.Run(ctx, "signs", "creat"); err == nil || !strings.Contains(err.Error(), `did you mean "create"`) {
		t.Errorf("the error is %v", err)
	}
	if _, err := r.Operation(ctx, "signs/create/Z/20261102T080000Z"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}

func TestRunTwiceInASecondIsOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	r.apply(r.spec(signs("A", "{do: add_seats, seats: 2, cron: '0 0 1 1 *'}")))
	_, err := r.Run(ctx, "signs", "add_seats")
	r.must(err)
	if _, err := r.Run(ctx, "signs", "add_seats"); !errors.Is(err, operator.ErrNothing) {
		t.Errorf("the second run in the same second returned %v", err)
	}
	r.advance(time.Second)
	_, err = r.Run(ctx, "signs", "add_seats")
	r.must(err)
	r.drain()
	if b := r.box.Books().Jobs[0]; b.Bought != 14 {
		t.Errorf("%d seats were bought, want 14", b.Bought)
	}
	r.balanced()
}

func TestAPersonOverrulesWhatTheRulesLeft(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	r.apply(r.spec(signs("A", `{do: rate, every: 6h, audit_sample: 100%, hold: 1h, rules: [{when: 'proof == "bad"', verdict: decline, reason: Bad}, {when: 'true', verdict: approve}]}`)))
	job := r.box.Books().Jobs[0].JobID
	var apps []int64
	for _, text := range []string{"one", "two", "three", "four", "bad", "bad"} {
		id, err := r.box.AddApplication(job, sandbox.Handed{Text: text})
		r.must(err)
		apps = append(apps, id)
	}
	r.advance(time.Minute)
	_, err := r.Operator.Review(ctx, "signs")
	r.must(err)
	reviewed, err := r.watch.Review(ctx, r.reviews[0])
	r.must(err)
	if r.reviews = nil; len(reviewed) != 2 {
		t.Fatalf("%d ratings go on by themselves, want the 2 held declines: %v", len(reviewed), reviewed)
	}
	st, err := r.Status(ctx, "signs")
	r.must(err)
	if len(st.Attention) != 1 || !strings.Contains(st.Attention[0].Message, "4 ratings of signs are parked: this approval is one of the audit_sample") {
		t.Errorf("a person is told %+v", st.Attention)
	}
	if st.Campaigns[0].Jobs[0].Pending != 6 || st.Campaigns[0].Jobs[0].Oldest == nil {
		t.Errorf("the job is %+v", st.Campaigns[0].Jobs[0])
	}
	list, err := operator.ReadDecisions(strings.NewReader(fmt.Sprintf(
		"verdict,application_id,reason\ndecline,%d,\"No, not this\"\napprove,%d,\nleave,%d,\napprove,%d,\n", apps[0], apps[1], apps[2], apps[4])))
	r.must(err)
	checked, err := r.CheckDecisions(ctx, "signs", list)
	r.must(err)
	done, err := r.Rate(ctx, "signs", checked)
	r.must(err)
	if len(done.Operations) != 3 {
		t.Errorf("%d ratings are begun, want 3", len(done.Operations))
	}
	r.drain()
	for i, want := range []sandbox.AppStatus{sandbox.AppDeclined, sandbox.AppApproved, sandbox.AppPending, sandbox.AppPending, sandbox.AppApproved, sandbox.AppPending} {
		if app, _ := r.box.Application(apps[i]); app.Status != want {
			t.Errorf("application %d has status %d, want %d", i, app.Status, want)
		}
	}
	// The other decline is dropped while it is held.
	held, err := r.Operations(ctx, journal.Filter{State: planner.Queued})
	r.must(err)
	if len(held) != 1 {
		t.Fatalf("%d ratings are held, want 1", len(held))
	}
	_, err = r.Resolve(ctx, held[0].ID, operator.Word{})
	r.must(err)
	if op, err := r.Operation(ctx, held[0].ID); err != nil || op.State != planner.Canceled {
		t.Errorf("the held decline is %v, %v", op, err)
	}
}

func TestStrictDecisionFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                 "the file of decisions is empty",
		"application_id,reason\n1,x\n":     "line 1: the column verdict is missing",
		"application_id,verdict,why\n":     `line 1: column "why" is none of`,
		"verdict,application_id,verdict\n": "line 1: the column verdict comes twice",
		"application_id,verdict,reason\n1,decline,sorry, no\n":                      "line 2: 4 fields where the head has 3",
		"application_id,verdict,reason\n1,redo," + strings.Repeat("x", 1001) + "\n": "line 2: the reason is longer than 1000",
	} {
		if _, err := operator.ReadDecisions(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
}

func TestDecisionsReadListsWhereThatIsFewerCalls(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	r.apply(r.spec(strings.Replace(signs("A"), "seats: 10", "seats: 70", 1)))
	job := r.box.Books().Jobs[0].JobID
	apps, err := r.box.AddApplications(job, 70)
	r.must(err)
	r.must(r.watch.Poll(ctx))
	var list []operator.Decision
	for _, id := range apps {
		list = append(list, operator.Decision{ApplicationID: id, Verdict: campaigns.Approve})
	}
	checked, err := r.CheckDecisions(ctx, "signs", list)
	r.must(err)
	got := r.box.Traffic().Received
	if len(checked) != 70 || got["application"] != 0 || got["applications"] != 5 {
		t.Errorf("%d decisions took %d reads and %d pages, want 70, 0 and 5", len(checked), got["application"], got["applications"])
	}
}
