package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// fair is a campaign with one job and one action of the given rules.
func fair(t *testing.T, edit func(*campaigns.Action), rules ...campaigns.Rule) *bulk {
	t.Helper()
	a := campaigns.Action{ID: "rate", Do: campaigns.DoRate, On: campaigns.OnNewApplication, Timezone: "UTC", MaxDecline: 100, Rules: rules}
	edit(&a)
	b := newBulk(t, sandbox.Config{}, a)
	b.open(1, 500)
	return b
}

func (b *bulk) handIn(text string) int64 {
	b.Helper()
	id, err := b.box.AddApplication(b.jobs[0], sandbox.Handed{Text: text})
	b.must(err)
	return id
}

func (b *bulk) status(app int64, want sandbox.AppStatus, when string) {
	b.Helper()
	if a, _ := b.box.Application(app); a.Status != want {
		b.Errorf("%s application %d has status %d, want %d", when, app, a.Status, want)
	}
}

// op is the operation on an application.
func (b *bulk) op(app int64) *journal.Op {
	b.Helper()
	all, err := b.books.Ops(b.Context(), journal.Filter{})
	b.must(err)
	for _, op := range all {
		if op.ApplicationID() == app {
			return op
		}
	}
	b.Fatalf("no operation rates application %d", app)
	return nil
}

func declines() []campaigns.Rule {
	return []campaigns.Rule{{When: `proof startsWith "bad"`, Verdict: campaigns.Decline, Reason: "Wrong: {{ .proof }}"}}
}

func TestADeclineIsHeldAndGoesOutOnlyIfNothingChanged(t *testing.T) {
	t.Parallel()
	b := fair(t, func(a *campaigns.Action) { a.Hold = campaigns.Duration(30 * time.Minute) }, declines()...)
	same, changed, word, let, dropped := b.handIn("bad 1"), b.handIn("bad 2"), b.handIn("bad 3"), b.handIn("bad 4"), b.handIn("bad 5")
	b.round()
	all := []int64{same, changed, word, let, dropped}
	for _, app := range all {
		b.status(app, sandbox.AppPending, "while it is held,")
		if op := b.op(app); op.State != planner.Queued || !strings.Contains(op.Error, "held until 2026-11-24 12:31 UTC") {
			t.Errorf("the decline is %s: %s", op.State, op.Error)
		}
	}
	// A task that comes too early sends nothing.
	_, err := b.exec.Perform(t.Context(), []string{b.op(same).ID})
	b.must(err)
	b.status(same, sandbox.AppPending, "after an early task")

	b.must(b.box.RateApplication(changed, sandbox.AppNotCompleted, "by hand"))
	b.must(b.box.HandInAgain(changed, sandbox.Handed{Text: "good"}))
	b.must(b.box.RateApplication(word, sandbox.AppApproved, ""))
	b.must(b.books.Retry(t.Context(), b.now(), b.op(let).ID, "a person let it go"))
	_, err = b.exec.Perform(t.Context(), []string{b.op(let).ID})
	b.must(err)
	b.status(let, sandbox.AppDeclined, "let go by a person,")
	_, err = b.books.Settle(t.Context(), journal.Settlement{
		Op: b.op(dropped), From: planner.Queued, Stamp: "dropped", To: planner.Canceled, Now: b.now(), Error: "a person overruled it",
	})
	b.must(err)

	b.ahead.Add(int64(30 * time.Minute))
	b.settle()
	b.status(same, sandbox.AppDeclined, "after the hold")
	b.status(changed, sandbox.AppPending, "handed in anew,")
	b.status(word, sandbox.AppApproved, "rated by hand,")
	b.status(dropped, sandbox.AppPending, "overruled,")
	for app, want := range map[int64]planner.State{same: planner.Applied, changed: planner.Canceled, word: planner.Canceled} {
		if op := b.op(app); op.State != want {
			t.Errorf("the decline of %d is %s (%s), want %s", app, op.State, op.Error, want)
		}
	}
	if a, _ := b.box.Application(same); a.Reason != "Wrong: bad 1" {
		t.Errorf("the worker was told %q", a.Reason)
	}
}

func TestAHeldDeclineOfAPausedCampaignStaysHeld(t *testing.T) {
	t.Parallel()
	b := fair(t, func(a *campaigns.Action) { a.Hold = campaigns.Duration(30 * time.Minute) }, declines()...)
	app := b.handIn("bad")
	b.round()
	op := b.op(app)
	next, err := b.exec.Perform(t.Context(), []string{op.ID})
	b.must(err)
	if len(next) != 1 || !next[0].Due.Equal(op.Rating.HoldUntil) {
		t.Errorf("looked at early it comes again at %v, want %v", next, op.Rating.HoldUntil)
	}
	b.status(app, sandbox.AppPending, "held,")
}

func TestASampleOfApprovalsIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	sample := func() map[int64]bool {
		b := fair(t, func(a *campaigns.Action) { a.AuditSample = 10 }, campaigns.Rule{When: "true", Verdict: campaigns.Approve})
		b.arrive(200)
		b.round()
		parked, err := b.books.Ops(t.Context(), journal.Filter{State: planner.Parked})
		b.must(err)
		left := map[int64]bool{}
		for _, op := range parked {
			left[op.ApplicationID()] = true
		}
		for _, app := range b.apps {
			if left[app] {
				b.status(app, sandbox.AppPending, "sampled,")
			} else {
				b.status(app, sandbox.AppApproved, "not sampled,")
			}
		}
		return left
	}
	first, second := sample(), sample()
	if len(first) < 5 || len(first) > 45 { // the ids of these 200 happen to give 37
		t.Errorf("%d of 200 are in a sample of 10%%", len(first))
	}
	for i := range first {
		if !second[i] || len(first) != len(second) {
			t.Fatalf("the same applications make another sample: %v and %v", first, second)
		}
	}
}

func TestTheOldestPendingIsToldWhenItsTimeHasPassed(t *testing.T) {
	t.Parallel()
	b := fair(t, func(a *campaigns.Action) { a.ReviewWithin = campaigns.Duration(5 * 24 * time.Hour) },
		campaigns.Rule{When: `proof == "easy"`, Verdict: campaigns.Approve}, campaigns.Rule{When: `proof == "hard"`, Verdict: campaigns.Leave})
	hard := b.handIn("hard")
	b.handIn("easy")
	b.round()
	told := func() map[string]string {
		alerts, err := b.books.Alerts(t.Context())
		b.must(err)
		out := map[string]string{}
		for _, a := range alerts {
			out[a.Subject] = a.Message
		}
		return out
	}
	if a := told(); a["overdue:signs"] != "" || !strings.Contains(a["left:signs/rate"], "leave 1 applications to a person") {
		t.Errorf("on the first day the alerts are %v", a)
	}
	b.ahead.Add(int64(5 * 24 * time.Hour))
	b.round()
	if a := told(); !strings.Contains(a["overdue:signs"], "1 applications of campaign signs wait") {
		t.Errorf("after 5 days the alerts are %v", a)
	}
	b.must(b.box.RateApplication(hard, sandbox.AppApproved, ""))
	b.handIn("easy")
	for range 3 { // it is seen to be rated when the list is read, and told at the next poll
		b.ahead.Add(int64(2 * time.Hour))
		b.must(b.books.AddReview(t.Context(), b.now(), journal.Review{Campaign: "signs", Action: "rate", Slot: b.now().Truncate(time.Second), ByHand: true}))
		b.round()
	}
	if a := told(); a["overdue:signs"] != "" || a["left:signs/rate"] != "" {
		t.Errorf("after the verdict the alerts are %v", a)
	}
}

func TestARuleThatFailsLeavesTheApplicationToAPerson(t *testing.T) {
	t.Parallel()
	b := fair(t, func(*campaigns.Action) {}, campaigns.Rule{When: `int(proof) > 3`, Verdict: campaigns.Approve})
	number, word := b.handIn("4"), b.handIn("four")
	b.round()
	b.status(number, sandbox.AppApproved, "a number,")
	b.status(word, sandbox.AppPending, "no number,")
	alerts, err := b.books.Alerts(t.Context())
	b.must(err)
	if len(alerts) != 1 || !strings.Contains(alerts[0].Message, "int(four)") {
		t.Errorf("the alerts are %v", alerts)
	}
}
