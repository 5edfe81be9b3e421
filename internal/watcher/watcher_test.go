package watcher_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// rig is a watcher over a sandbox whose clock, like the watcher's, is by hand.
type rig struct {
	*testing.T
	ctx     context.Context
	now     time.Time
	market  *sandbox.Sandbox
	journal *journal.Journal
	watcher *watcher.Watcher
	planned []planner.Operation
	reviews []journal.Review
}

func setup(t *testing.T, actions ...campaigns.Action) *rig {
	t.Helper()
	r := &rig{T: t, ctx: t.Context(), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return r.now }
	r.market = sandbox.New(sandbox.Config{Now: clock, Crowd: sandbox.Crowd{Off: true}, PageSize: 3})
	server := httptest.NewServer(r.market)
	t.Cleanup(func() { server.Close(); r.market.Close() })
	key, err := api.NewKey("key")
	r.must(err)
	client, err := api.New(api.Config{BaseURL: server.URL + "/api/v1", Key: key})
	r.must(err)
	t.Cleanup(client.Close)
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), MaxRetries: -1, DisableIdentity: true})
	t.Cleanup(func() { _ = rdb.Close() })
	r.journal, err = journal.Open(rdb)
	r.must(err)
	r.watcher = watcher.New(watcher.Config{
		Journal: r.journal, Market: client, Now: clock, Log: slog.New(slog.DiscardHandler),
		Plan: func(_ context.Context, ops []planner.Operation) ([]executor.Next, error) {
			r.planned = append(r.planned, ops...)
			return nil, nil
		},
		Enqueue:     func(context.Context, []executor.Next) error { return nil },
		StartReview: func(_ context.Context, v journal.Review) error { r.reviews = append(r.reviews, v); return nil },
	})
	r.must(r.journal.Register(r.ctx, r.now, &campaigns.Campaign{
		Name: "signs", Source: "test", Timezone: "UTC", Actions: actions,
		Items:  []campaigns.Item{{Key: "agra", Fields: map[string]string{"gold": "stop"}}},
		Budget: &campaigns.Budget{Cap: 100 * money.Dollar, Per: campaigns.PerTotal, Measure: campaigns.MeasureConsumed, PauseAt: 200_000, Resume: campaigns.ResumeManual, Timezone: "UTC"},
	}))
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// job puts a job of the campaign on the marketplace and into the journal.
func (r *rig) job(seats int64) int64 {
	r.Helper()
	id, err := r.market.AddJob(sandbox.Job{
		Title: "Signs", Price: 100_000, Seats: seats, Category: 13, Minutes: 5, Country: "INT",
		Expected: []string{"Type"}, Proof: []sandbox.Proof{{Desc: "Signs", Type: "text"}},
	})
	r.must(err)
	r.must(r.journal.Adopt(r.ctx, r.now, journal.Job{
		ID: id, Campaign: "signs", Item: "agra", Status: journal.JobOnline, Seats: int(seats), Price: 100_000,
	}))
	return id
}

func (r *rig) handIn(job int64, proofs ...string) {
	r.Helper()
	for _, p := range proofs {
		_, err := r.market.AddApplication(job, sandbox.Handed{Text: p})
		r.must(err)
	}
}

func (r *rig) ops() map[string]planner.State {
	r.Helper()
	all, err := r.journal.Ops(r.ctx, journal.Filter{})
	r.must(err)
	out := map[string]planner.State{}
	for _, op := range all {
		out[fmt.Sprintf("%d %s", op.ApplicationID(), op.Rating.Verdict)] = op.State
	}
	return out
}

// rules approve gold answers, decline doubles and send back what is blank.
func rules(most int) campaigns.Action {
	return campaigns.Action{ID: "rate", Do: campaigns.DoRate, Every: campaigns.Duration(time.Hour), Timezone: "UTC", MaxDecline: most, Rules: []campaigns.Rule{
		{When: `trim(proof) == ""`, Verdict: campaigns.Redo, Reason: "blank"},
		{When: `duplicates > 1`, Verdict: campaigns.Decline, Reason: "double"},
		{When: `trim(lower(proof)) == item.gold`, Verdict: campaigns.Approve},
	}}
}

func TestReviewDecidesEachHandInOnce(t *testing.T) {
	t.Parallel()
	r := setup(t, rules(100))
	job := r.job(20)
	r.handIn(job, "STOP ", "  ", "exit", "same", "same", "halt", "left", "right")
	r.must(r.watcher.Poll(r.ctx))
	v := journal.Review{Campaign: "signs", Action: "rate", Slot: r.now}
	next, err := r.watcher.Review(r.ctx, v)
	r.must(err)
	got := r.ops()
	counts := map[string]int{}
	for name := range got {
		counts[name[strings.Index(name, " ")+1:]]++
	}
	if len(next) != 4 || counts["approve"] != 1 || counts["redo"] != 1 || counts["decline"] != 2 {
		t.Errorf("%d follow, decisions %v", len(next), got)
	}
	again, err := r.watcher.Review(r.ctx, v)
	r.must(err)
	if len(again) != 0 || len(r.ops()) != 4 {
		t.Errorf("a second run plans %d more", len(again))
	}
	own, err := r.journal.Job(r.ctx, job)
	r.must(err)
	if own.Pending != 8 {
		t.Errorf("%d pending, want 8", own.Pending)
	}
}

func TestTooManyDeclinesWaitForAPerson(t *testing.T) {
	t.Parallel()
	r := setup(t, rules(20))
	job := r.job(20)
	r.handIn(job, "same", "same", "same", "stop")
	r.must(r.watcher.Poll(r.ctx))
	next, err := r.watcher.Review(r.ctx, journal.Review{Campaign: "signs", Action: "rate", Slot: r.now})
	r.must(err)
	parked := 0
	for _, s := range r.ops() {
		if s == planner.Parked {
			parked++
		}
	}
	if len(next) != 1 || parked != 3 {
		t.Errorf("%d follow and %d are held, want 1 and 3: %v", len(next), parked, r.ops())
	}
}

func TestPollTellsWhatBecameOfJobs(t *testing.T) {
	t.Parallel()
	r := setup(t,
		campaigns.Action{ID: "again", Do: campaigns.DoResume, On: campaigns.OnJobFinished, Seats: 5, Jobs: campaigns.JobsLatest, Timezone: "UTC"},
		campaigns.Action{ID: "rate", Do: campaigns.DoRate, On: campaigns.OnNewApplication, Timezone: "UTC", MaxDecline: 100, Rules: []campaigns.Rule{{When: "true", Verdict: campaigns.Approve}}},
	)
	full, gone := r.job(2), r.job(5)
	r.must(r.watcher.Poll(r.ctx))
	r.handIn(full, "one", "two")
	r.must(r.market.DeleteJob(gone))
	r.now = r.now.Add(time.Minute)
	r.must(r.watcher.Poll(r.ctx))
	own, err := r.journal.Job(r.ctx, full)
	r.must(err)
	if own.Status != journal.JobFinished || own.Filled() != 2 {
		t.Errorf("the full job is %s with %d filled", own.Status, own.Filled())
	}
	lost, err := r.journal.Job(r.ctx, gone)
	r.must(err)
	alerts, err := r.journal.Alerts(r.ctx)
	r.must(err)
	if lost.Status != journal.JobOnline || len(alerts) != 0 {
		t.Errorf("the deleted job, which a copy that is behind might not show yet, is %s, alerts %v", lost.Status, alerts)
	}
	r.now = r.now.Add(10 * time.Minute)
	r.must(r.watcher.Poll(r.ctx))
	lost, err = r.journal.Job(r.ctx, gone)
	r.must(err)
	alerts, err = r.journal.Alerts(r.ctx)
	r.must(err)
	if lost.Status != journal.JobGone || len(alerts) != 1 || !strings.Contains(alerts[0].Message, "deleted") {
		t.Errorf("the deleted job is %s, alerts %v", lost.Status, alerts)
	}
	if len(r.planned) != 1 || r.planned[0].Kind != planner.Resume || r.planned[0].JobID != full || len(r.reviews) != 1 {
		t.Errorf("planned %v, reviews %v; want one resume and one review", r.planned, r.reviews)
	}
	closed, err := r.journal.LatchedScopes(r.ctx)
	r.must(err)
	if len(closed) != 1 {
		t.Errorf("0.20 USD are consumed and the threshold is 0.20: closed %v", closed)
	}
}

func TestAJobWithAnothersMarkerIsSuspected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps     []string
		suspected bool
	}{
		"another's marker": {[]string{planner.Marker("signs", "create", "other", time.Unix(0, 0))}, true},
		"no marker":        {[]string{"Look and type."}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			id, err := r.market.AddJob(sandbox.Job{Title: "Signs", Seats: 10})
			r.must(err)
			slot := r.now.Truncate(time.Second)
			_, err = r.journal.Recover(r.ctx, r.now, journal.Recovered{
				Op: planner.Operation{
					ID: planner.NewID("signs", "create", "agra", slot), Campaign: "signs", Action: "create",
					Item: "agra", Kind: planner.Create, Slot: slot, Seats: 10,
				},
				Job: journal.Job{ID: id, Item: "agra", Slot: slot, Status: journal.JobOnline, Seats: 10}, At: r.now,
			})
			r.must(err)
			r.must(r.market.EditJob(id, func(j *sandbox.Job) { j.Expected = c.steps }))
			_, err = r.market.AddApplications(id, 4)
			r.must(err)
			suspected := 0
			r.watcher.Suspect = func() { suspected++ }
			r.must(r.watcher.Poll(r.ctx))
			if (suspected > 0) != c.suspected {
				t.Errorf("it was suspected %d times", suspected)
			}
			own, err := r.journal.Job(r.ctx, id)
			r.must(err)
			if seen := own.Applications == 4; seen == c.suspected {
				t.Errorf("%d applications are noted", own.Applications)
			}
			fact, err := r.journal.Recall(r.ctx, executor.FactSeats)
			r.must(err)
			if learned := fact != ""; learned == c.suspected {
				t.Errorf("the meaning of seats learned is %q", fact)
			}
		})
	}
}

// TestConsumptionCountsWhatTheCampaignHadFilled adopts a job with half of its seats
// filled, and counts what comes after in the budgets of the campaign and of the file.
func TestConsumptionCountsWhatTheCampaignHadFilled(t *testing.T) {
	t.Parallel()
	r := setup(t)
	c := &campaigns.Campaign{
		Name: "signs", Source: "test", Timezone: "UTC", Items: []campaigns.Item{{Key: "agra"}},
		Budget:     &campaigns.Budget{Cap: 100 * money.Dollar, Per: campaigns.PerDay, Measure: campaigns.MeasureConsumed, PauseAt: 10 * money.Dollar, Timezone: "UTC"},
		FileBudget: &campaigns.Budget{Cap: 100 * money.Dollar, Per: campaigns.PerMonth, Measure: campaigns.MeasureConsumed, PauseAt: 300_000, Timezone: "UTC"},
	}
	r.must(r.journal.Register(r.ctx, r.now, c))
	other := *c
	other.Name, other.Budget = "other", nil
	r.must(r.journal.Register(r.ctx, r.now, &other))
	first := r.job(10)
	second, err := r.market.AddJob(sandbox.Job{Title: "Old", Price: 100_000, Seats: 10, Category: 13, Minutes: 5, Country: "INT"})
	r.must(err)
	r.handIn(second, "1", "2", "3", "4", "5")
	r.must(r.journal.Adopt(r.ctx, r.now, journal.Job{
		ID: second, Campaign: "other", Item: "old", Status: journal.JobOnline, Seats: 10, Price: 100_000, Applications: 5,
	}))
	for _, step := range []struct {
		first, second int
		day, month    money.USD
		closed        int
	}{{0, 0, 0, 0, 0}, {1, 1, 100_000, 200_000, 0}, {1, 0, 100_000, 300_000, 1}} {
		for range step.first {
			r.handIn(first, "one")
		}
		for range step.second {
			r.handIn(second, "one")
		}
		r.must(r.watcher.Poll(r.ctx))
		budgets, err := r.journal.Budgets(r.ctx, journal.Limits(c, r.now))
		r.must(err)
		if budgets[0].Consumed != step.day || budgets[1].Consumed != step.month {
			t.Errorf("consumed %s of the campaign's day and %s of the file's month, want %s and %s",
				budgets[0].Consumed, budgets[1].Consumed, step.day, step.month)
		}
		closed, err := r.journal.LatchedScopes(r.ctx)
		r.must(err)
		if len(closed) != step.closed {
			t.Errorf("closed %v, want %d", closed, step.closed)
		}
		r.now = r.now.AddDate(0, 0, 1)
	}
}

func waitsForEvents() []campaigns.Action {
	return []campaigns.Action{
		{ID: "again", Do: campaigns.DoResume, On: campaigns.OnJobFinished, Seats: 5, Jobs: campaigns.JobsLatest, Timezone: "UTC"},
		{ID: "rate", Do: campaigns.DoRate, On: campaigns.OnNewApplication, Timezone: "UTC", Rules: []campaigns.Rule{{When: "true", Verdict: campaigns.Approve}}},
	}
}

// TestCallbacksChangeNothingButSpeed floods, doubles and forges hints: a job is
// read once an interval, one that nobody owns never, and each event acts once.
func TestCallbacksChangeNothingButSpeed(t *testing.T) {
	t.Parallel()
	r := setup(t, waitsForEvents()...)
	job := r.job(2)
	r.must(r.watcher.Poll(r.ctx))
	reads := func() int64 { return int64(r.market.Traffic().Received["job"]) }
	const every, minutes, hintsEach = 10 * time.Second, 3, 20
	r.handIn(job, "one", "two")
	for range minutes * 60 {
		r.now = r.now.Add(time.Second)
		for i := range hintsEach {
			mine, err := r.journal.Hint(r.ctx, r.now, job+int64(i%2)*1000, every)
			r.must(err)
			if mine != (i%2 == 0) {
				t.Fatalf("hint %d is taken for one of our jobs: %t", i, mine)
			}
		}
		r.must(r.watcher.Heed(r.ctx))
	}
	if n := reads(); n < 1 || n > minutes*6+1 {
		t.Errorf("%d hints cost %d reads, want one each 10 s", minutes*60*hintsEach, n)
	}
	r.must(r.watcher.Poll(r.ctx))
	if len(r.planned) != 1 || len(r.reviews) != 1 {
		t.Errorf("planned %v and %d reviews, want one each", r.planned, len(r.reviews))
	}
}

func TestPollingHealsCallbacksThatAreLost(t *testing.T) {
	t.Parallel()
	for _, heard := range []bool{true, false} {
		r := setup(t, waitsForEvents()...)
		job := r.job(2)
		r.must(r.watcher.Poll(r.ctx))
		r.handIn(job, "one", "two")
		r.now = r.now.Add(time.Minute)
		if heard {
			_, err := r.journal.Hint(r.ctx, r.now, job, time.Second)
			r.must(err)
			r.must(r.watcher.Heed(r.ctx))
		}
		r.must(r.watcher.Poll(r.ctx))
		if len(r.planned) != 1 || len(r.reviews) != 1 {
			t.Errorf("heard %t: planned %v and %d reviews, want one each", heard, r.planned, len(r.reviews))
		}
	}
}

func TestPollsOfManyJobsAreFewCalls(t *testing.T) {
	t.Parallel()
	r := setup(t)
	for range 9 {
		r.must(r.market.FinishJob(r.job(5)))
	}
	r.job(5)
	r.must(r.watcher.Poll(r.ctx))
	before := len(r.market.Traffic().Requests)
	for range 9 {
		r.must(r.watcher.Poll(r.ctx))
	}
	if n := len(r.market.Traffic().Requests) - before; n != 9 {
		t.Errorf("9 polls with one job online of ten made %d calls, want one each", n)
	}
	if pace := r.watcher.Pace(time.Second); pace < 3*time.Second {
		t.Errorf("the next poll of quiet jobs comes after %s", pace)
	}
}
