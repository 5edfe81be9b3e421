package operator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// hourly buys a seat each hour and makes up for all that it missed.
const hourly = `{do: add_seats, seats: 1, every: 1h, catch_up: all, overlap: allow}`

func (r *rig) shifts(text string) []operator.Shift {
	r.t.Helper()
	return r.plan(r.spec(text)).Shifts
}

// hours are times some hours after the epoch.
func hours(ns ...int) []time.Time {
	out := []time.Time{}
	for _, n := range ns {
		out = append(out, epoch.Add(time.Duration(n)*time.Hour))
	}
	return out
}

func TestPlanTellsWhatAnEditDoesToTimes(t *testing.T) {
	t.Parallel()
	now := hours(3)[0].Add(30 * time.Minute)
	for claim, c := range map[string]struct {
		edited string
		want   []operator.Shift
	}{
		"a parameter": {
			signs("A", strings.Replace(hourly, "seats: 1", "seats: 2", 1)),
			[]operator.Shift{{Action: "add_seats", What: "kept", Runs: hours(1, 2, 3)}},
		},
		"catch_up": {
			signs("A", strings.Replace(hourly, "all", "last", 1)),
			[]operator.Shift{{Action: "add_seats", What: "kept", Runs: hours(3), Dropped: hours(1, 2)}},
		},
		"the times": {
			signs("A", strings.Replace(hourly, "1h", "2h", 1)),
			[]operator.Shift{{Action: "add_seats", What: "edited: every", Dropped: hours(1, 2, 3), From: &now}},
		},
		"the zone": {
			signs("A", strings.Replace(hourly, "every: 1h", "every: 1h, timezone: Asia/Kathmandu", 1)),
			[]operator.Shift{{Action: "add_seats", What: "edited: timezone", Dropped: hours(1, 2, 3), From: &now}},
		},
		"the id": {
			signs("A", strings.Replace(hourly, "{", "{id: more, ", 1)),
			[]operator.Shift{
				{Action: "add_seats", What: "renamed to more", Dropped: hours(1, 2, 3)},
				{Action: "more", What: "renamed from add_seats", From: &now},
			},
		},
		"the action taken away": {
			signs("A"),
			[]operator.Shift{{Action: "add_seats", What: "gone", Dropped: hours(1, 2, 3)}},
		},
		"the campaign removed": {
			strings.Replace(signs("A"), "name: signs", "name: other", 1),
			[]operator.Shift{
				{Action: "create", What: "removed"},
				{Action: "add_seats", What: "removed", Dropped: hours(1, 2, 3)},
			},
		},
		"nothing": {signs("A", hourly), nil},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			r.apply(r.spec(signs("A", hourly)))
			r.clock.Store(int64(now.Sub(epoch)))
			got := r.shifts(c.edited)
			if len(got) != len(c.want) {
				t.Fatalf("it tells of %d actions, want %d: %+v", len(got), len(c.want), got)
			}
			for i, want := range c.want {
				g := got[i]
				if g.Action != want.Action || g.What != want.What || !equal(g.Runs, want.Runs) || !equal(g.Dropped, want.Dropped) ||
					(g.From == nil) != (want.From == nil) || g.From != nil && !g.From.Equal(*want.From) {
					t.Errorf("it tells\n%+v, want\n%+v", g, want)
				}
			}
		})
	}
}

func equal(a, b []time.Time) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// TestWhatAnEditTellsIsWhatItDoes applies each edit and compares the slots that
// then run with those the plan told of.
func TestWhatAnEditTellsIsWhatItDoes(t *testing.T) {
	t.Parallel()
	for _, edited := range []string{
		signs("A", strings.Replace(hourly, "seats: 1", "seats: 2", 1)),
		signs("A", strings.Replace(hourly, "1h", "2h", 1)),
		signs("A", strings.Replace(hourly, "{", "{id: more, ", 1)),
		signs("A"),
	} {
		r := setup(t)
		r.apply(r.spec(signs("A", hourly)))
		r.advance(3*time.Hour + 30*time.Minute)
		told := 0
		files := r.spec(edited)
		for _, s := range r.plan(files).Shifts {
			told += len(s.Runs)
		}
		r.apply(files)
		ops, err := r.journal.Ops(t.Context(), journal.Filter{Campaign: "signs"})
		r.must(err)
		ran := 0
		for _, op := range ops {
			if op.Kind == planner.AddSeats {
				ran++
			}
		}
		if ran != told {
			t.Errorf("%d slots ran, and the plan told of %d", ran, told)
		}
		r.balanced()
	}
}

func TestResumeTellsWhichSlotsRunAndWhatTheyCost(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(r.spec(signs("A", hourly)))
	_, err := r.Pause(t.Context(), "signs", "the photos are wrong", true)
	r.must(err)
	st, err := r.Status(t.Context(), "signs")
	r.must(err)
	if c := st.Campaigns[0]; c.Reason != "the photos are wrong" || c.Since == nil || !c.Since.Equal(epoch) {
		t.Errorf("the pause is shown as %+v", c)
	}
	r.advance(3*time.Hour + 30*time.Minute)
	pv, err := r.Preview(t.Context(), "signs")
	r.must(err)
	if len(pv.Slots) != 3 || pv.Cost == nil || *pv.Cost == 0 || !pv.Slots[0].Slot.Equal(hours(1)[0]) {
		t.Fatalf("it foretells %+v", pv)
	}
	before := r.box.Books().Charged
	_, err = r.Resume(t.Context(), "signs")
	r.must(err)
	_, err = r.Scheduler.Fire(t.Context(), "signs")
	r.must(err)
	r.drain()
	if cost := r.box.Books().Charged - before; cost != *pv.Cost {
		t.Errorf("it cost %s, foretold was %s", cost, *pv.Cost)
	}
}

func TestBackfill(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(r.spec(signs("A", strings.Replace(hourly, "all, overlap: allow", "none", 1))))
	r.advance(4*time.Hour + 30*time.Minute)
	ask := func(from, to string) *operator.Backfill {
		t.Helper()
		b, err := r.PlanBackfill(t.Context(), "signs", "add_seats", from, to)
		r.must(err)
		return b
	}
	b := ask("2026-11-02T09:00", "2026-11-02T11:59")
	if b.New != 3 || b.Cost == nil || *b.Cost == 0 || b.Headroom == nil {
		t.Fatalf("it would do %+v", b)
	}
	before := r.box.Books().Charged
	r.must(r.StartBackfill(t.Context(), b))
	if again := ask("2026-11-02T09:00", "2026-11-02T11:59"); again.New != 0 || again.Slots[0].State != "waiting" {
		t.Errorf("asked for again, it would do %+v", again)
	}
	var ran []string
	for range 10 {
		r.must(r.tickOnce())
		r.drain()
		r.advance(2 * time.Second)
	}
	ops, err := r.journal.Ops(t.Context(), journal.Filter{Campaign: "signs"})
	r.must(err)
	for _, op := range ops {
		if op.Kind == planner.AddSeats {
			ran = append(ran, op.Slot.Format("15:04")+" "+string(op.State))
		}
	}
	if got := strings.Join(ran, ", "); got != "11:00 applied, 10:00 applied, 09:00 applied" {
		t.Errorf("it ran %s, want each slot once and in turn", got)
	}
	if cost := r.box.Books().Charged - before; cost != *b.Cost {
		t.Errorf("it cost %s, foretold was %s", cost, *b.Cost)
	}
	after := ask("2026-11-02", "2026-11-02T12:00")
	if after.New != 10 || after.Slots[len(after.Slots)-2].State != "1 applied" {
		t.Errorf("what ran is not told of: %+v", after)
	}
	marks, err := r.journal.Entries(t.Context(), "signs", []string{"add_seats"})
	r.must(err)
	if marks[0].Watermark.Before(hours(4)[0]) {
		t.Errorf("the watermark is %s, as if a backfill had moved it", marks[0].Watermark)
	}
	r.balanced()
}

func TestABackfillKeepsToTheBudget(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(r.spec(strings.Replace(signs("A", hourly), "cap: 5", `cap: 2.5`, 1)))
	b, err := r.PlanBackfill(t.Context(), "signs", "add_seats", "2026-11-01", "2026-11-02T08:00")
	r.must(err)
	if *b.Cost <= *b.Headroom || len(b.Warnings) == 0 {
		t.Errorf("%s for slots, %s are left, and it warns: %q", *b.Cost, *b.Headroom, b.Warnings)
	}
	r.must(r.StartBackfill(t.Context(), b))
	for range 10 {
		r.must(r.tickOnce())
		r.drain()
		r.advance(2 * time.Second)
	}
	if books := r.box.Books(); books.Charged-books.Refunded > money.MustParse("2.5") {
		t.Errorf("%s were spent", books.Charged)
	}
	r.balanced()
}

func TestWhatCannotBeBackfilled(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(r.spec(signs("A", hourly, `{do: rate, every: 1h, rules: [{when: 'true', verdict: approve}]}`)))
	for claim, c := range map[string][4]string{
		"now":       {"create", "2026-11-01", "2026-11-02", "enqueue run"},
		"a rating":  {"rate", "2026-11-01", "2026-11-02", "enqueue rate"},
		"too many":  {"add_seats", "2026-01-01", "2026-11-02", "more than 1000"},
		"backwards": {"add_seats", "2026-11-02", "2026-11-01", "before --from"},
		"no time":   {"add_seats", "soon", "2026-11-01", "--from"},
		"no slot":   {"add_seats", "2026-11-02T08:01", "2026-11-02T08:02", "no slot"},
		"no action": {"nothing", "2026-11-02", "2026-11-02", "no action"},
	} {
		_, err := r.PlanBackfill(t.Context(), "signs", c[0], c[1], c[2])
		if err == nil || !strings.Contains(err.Error(), c[3]) {
			t.Errorf("%s: the error is %v, want %q in it", claim, err, c[3])
		}
	}
}

func TestSlotsAreShownInTheZoneOfTheirAction(t *testing.T) {
	t.Parallel()
	r := setup(t)
	text := strings.Replace(signs("A", `{do: restart, cron: "30 2 * * *", timezone: Europe/Berlin}`), "version: 1", "version: 1\ntimezone: Asia/Kathmandu", 1)
	p := r.plan(r.spec(text))
	u := p.Upcoming[0]
	if u.Local != "2026-11-03T02:30:00+01:00" || u.Timezone != "Europe/Berlin" || !u.Slot.Equal(time.Date(2026, 11, 3, 1, 30, 0, 0, time.UTC)) {
		t.Errorf("the plan shows %+v", u)
	}
	r.apply(r.spec(text))
	st, err := r.Status(t.Context(), "signs")
	r.must(err)
	c := st.Campaigns[0]
	if c.Local == nil || *c.Local != "2026-11-03T02:30:00+01:00" || len(c.Upcoming) != 3 || c.Upcoming[1].Local != "2026-11-04T02:30:00+01:00" {
		t.Errorf("the status shows %+v", c)
	}
}
