package operator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestApplyMakesEachJobOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	files := r.spec(signs("Izmir, Pokhara"))
	p := r.apply(files)
	if diff := cmp.Diff(map[planner.State]int{planner.Applied: 2}, p.States); diff != "" || p.Cost.String() != "1.325" {
		t.Errorf("it cost %s and ended so (-want +got):\n%s", p.Cost, diff)
	}
	again := r.apply(files)
	if len(again.States) != 0 || len(r.box.Books().Jobs) != 2 {
		t.Errorf("applied again it did %v, and there are %d jobs", again.States, len(r.box.Books().Jobs))
	}
	r.balanced()
}

func TestApplyEndsWhatVanished(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(r.spec(signs("A", `{do: add_seats, seats: 1, cron: "0 12 * * *"}`)))
	other := strings.Replace(signs("B"), "name: signs", "name: other", 1)
	r.apply(r.spec(other))
	reg, err := r.journal.Campaign(t.Context(), "signs")
	r.must(err)
	if reg.State != journal.Removed {
		t.Errorf("the campaign that vanished is %s", reg.State)
	}
	due, err := r.journal.DueEntries(t.Context(), epoch.AddDate(1, 0, 0), 10)
	r.must(err)
	for _, e := range due {
		if e.Campaign == "signs" {
			t.Errorf("%s/%s is still scheduled", e.Campaign, e.Action)
		}
	}
}

func TestApplyTakesOverJobs(t *testing.T) {
	t.Parallel()
	r := setup(t)
	id, err := r.box.AddJob(sandbox.Job{Title: "By hand", Price: 50_000, Seats: 5, Category: 201, Country: "INT"})
	r.must(err)
	r.apply(r.spec("version: 1\ncampaigns: [{name: old, adopt: [15341], actions: [{do: restart, every: 12h}]}]"))
	job, err := r.journal.Job(t.Context(), id)
	r.must(err)
	if job.Campaign != "old" || job.Seats != 5 || job.Status != journal.JobOnline {
		t.Errorf("the job is of %q, with %d seats, %s", job.Campaign, job.Seats, job.Status)
	}
}

func TestApplyKeepsTeamsInStep(t *testing.T) {
	t.Parallel()
	r := setup(t)
	text := "teams: [{name: raters, members: [{user: 7, note: \"Fast\"}]}]\n" + signs("A")
	p := r.apply(r.spec(text))
	if p.Kinds[planner.TeamSync] != (operator.Count{Settled: 1, Total: 1}) {
		t.Errorf("teams: %v", p.Kinds)
	}
	if again := r.apply(r.spec(text)); again.Kinds[planner.TeamSync].Total != 0 {
		t.Errorf("a team that is in step is synced again")
	}
}

func TestALostJournalIsNotSpentOn(t *testing.T) {
	t.Parallel()
	r := setup(t)
	text := signs("Izmir, Pokhara, Kazan")
	r.apply(r.spec(text))
	before := r.box.Books()
	deleted := before.Jobs[2]
	r.must(r.box.DeleteJob(deleted.JobID))
	r.redis.FlushAll()

	p := r.plan(r.spec(text))
	var lost *operator.LostError
	if _, err := r.Apply(t.Context(), p); !errors.As(err, &lost) || len(lost.Jobs) != 2 {
		t.Fatalf("apply on a lost journal returned %v, want a LostError of 2 jobs", err)
	}
	offline, err := r.Plan(t.Context(), r.spec(text), operator.Options{Offline: true})
	r.must(err)
	if _, err := r.Apply(t.Context(), offline); !errors.As(err, &lost) {
		t.Fatalf("apply of an offline plan on a lost journal returned %v", err)
	}

	found, err := r.Recover(t.Context(), r.spec(text))
	r.must(err)
	for _, row := range found {
		if row.Outcome != "recovered" || row.Cost != "0.6625" {
			t.Errorf("job %d of %s is %s at %s", row.JobID, row.Item, row.Outcome, row.Cost)
		}
	}
	r.advance(time.Hour)
	r.apply(r.spec(text))
	if after := r.box.Books(); len(after.Jobs) != len(before.Jobs) {
		t.Errorf("after the recovery %d jobs were made", len(after.Jobs)-len(before.Jobs))
	}
	budgets, err := r.Budgets(t.Context())
	r.must(err)
	if budgets[0].Committed.String() != "1.325" {
		t.Errorf("the budget has committed %s, want 1.325", budgets[0].Committed)
	}
	again, err := r.Recover(t.Context(), r.spec(text))
	r.must(err)
	for _, row := range again {
		if row.Outcome != "known" {
			t.Errorf("recovered again, job %d is %s", row.JobID, row.Outcome)
		}
	}
	item := strings.TrimPrefix(deleted.Title, "Signs in ")
	op, err := r.Operation(t.Context(), "signs/create/"+item+"/20261102T080000Z")
	r.must(err)
	if op.State != planner.Skipped {
		t.Errorf("the create whose job was deleted is %s, want skipped for a person", op.State)
	}
}

func TestRecoveryRemembersWhatNobodyExplains(t *testing.T) {
	t.Parallel()
	r := setup(t)
	other := strings.Replace(signs("B"), "name: signs", "name: other", 1)
	r.apply(r.specAs("a.yaml", signs("A")))
	r.apply(r.specAs("b.yaml", other))
	r.redis.FlushAll()
	found, err := r.Recover(t.Context(), r.specAs("a.yaml", signs("A")))
	r.must(err)
	if found[0].Outcome != "recovered" || found[1].Outcome != "unexplained" {
		t.Fatalf("the outcomes are %s and %s", found[0].Outcome, found[1].Outcome)
	}
	var lost *operator.LostError
	if _, err := r.Apply(t.Context(), r.plan(r.specAs("b.yaml", other))); !errors.As(err, &lost) {
		t.Errorf("the campaign whose job nobody explained is applied: %v", err)
	}
	fresh := strings.Replace(signs("C"), "name: signs", "name: fresh", 1)
	if p := r.apply(r.specAs("c.yaml", fresh)); p.States[planner.Applied] != 1 {
		t.Errorf("a campaign that is new in truth ended as %v", p.States)
	}
}

func TestTwoAccountsCannotShareAJournal(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.must(r.journal.Remember(t.Context(), "account", "1"))
	_, err := r.Plan(t.Context(), r.spec(signs("A")), week)
	if err == nil || !strings.Contains(err.Error(), "holds the books of account 1") {
		t.Errorf("the error is %v", err)
	}
}

// TestARecoveryBuysNoSecondFollowOn loses the journal after an action has followed
// another one, and tells by the marketplace's books that it does not follow again.
func TestARecoveryBuysNoSecondFollowOn(t *testing.T) {
	t.Parallel()
	r := setup(t)
	text := signs("Izmir, Pokhara", `{id: more, do: add_seats, seats: 4, after: {action: create}}`)
	follow := func() {
		t.Helper()
		r.must(r.sched.Chains(t.Context()))
		r.drain()
	}
	r.apply(r.spec(text))
	follow()
	before := r.box.Books()
	if n := len(before.Jobs); n != 2 || before.Jobs[0].Bought != 14 || before.Jobs[1].Bought != 14 {
		t.Fatalf("%d jobs before the loss, the first of %d seats; want 2 of 14", n, before.Jobs[0].Bought)
	}
	r.redis.FlushAll()
	_, err := r.Recover(t.Context(), r.spec(text))
	r.must(err)
	for range 3 {
		r.advance(time.Hour)
		r.apply(r.spec(text))
		r.must(r.tickOnce())
		follow()
	}
	after := r.box.Books()
	if after.Charged != before.Charged || len(after.Jobs) != len(before.Jobs) {
		t.Errorf("after the recovery %s was charged and there are %d jobs, before it %s and %d",
			after.Charged, len(after.Jobs), before.Charged, len(before.Jobs))
	}
}

// What an apply waits for is what was due then, and what follows that: a campaign
// that acts every minute would be waited for without end.
func TestLaterOccurrencesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	r := setup(t)
	files := r.spec(signs("A, B", "{do: restart, after: {campaign: signs, action: create}}", "{do: add_seats, seats: 2, every: 1m}",
		`{do: rate, every: 1m, rules: [{when: "true", verdict: approve}]}`))
	done, err := r.Apply(t.Context(), r.plan(files))
	r.must(err)
	work := r.Track(done.Work)
	look := func() operator.Progress {
		t.Helper()
		p, err := work.Look(t.Context())
		r.must(err)
		return p
	}
	if p := look(); p.Settled() || p.Kinds[planner.Create].Total != 2 {
		t.Fatalf("before anything is done: %+v", p)
	}
	r.drain()
	if p := look(); p.Settled() {
		t.Errorf("what follows the creates is not waited for: %+v", p)
	}
	r.must(r.sched.Chains(t.Context()))
	r.advance(time.Minute)
	r.must(r.tickOnce()) // the next minute's additions and rating run are due, and not done
	p := look()
	if p.Settled() || p.Kinds[planner.Restart].Total != 2 || p.Kinds[planner.AddSeats].Total != 0 {
		t.Errorf("with the next minute due: %+v, want 2 restarts and no addition", p)
	}
	r.drain()
	if p := look(); !p.Settled() || p.States[planner.Applied] != 4 {
		t.Errorf("in the end: %+v, want 4 applied and nothing else", p)
	}
}
