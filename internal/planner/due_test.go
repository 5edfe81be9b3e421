package planner_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// noon is the watermark that the tables count from, in hours.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const grace = time.Minute

func hours(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Hour))) }

// hourly has its slots at whole hours.
func hourly(policy campaigns.CatchUp, window time.Duration) campaigns.Action {
	return campaigns.Action{
		ID: "a", Do: campaigns.DoRestart, Every: campaigns.Duration(time.Hour), Timezone: "UTC",
		CatchUp: policy, CatchUpWindow: campaigns.Duration(window),
	}
}

func due(t testing.TB, a campaigns.Action, watermark, now time.Time) planner.Due {
	t.Helper()
	s, err := a.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	return planner.DueSlots(&a, s, "c/a", watermark, now, grace)
}

func TestDueSlots(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	until := hours(2)
	bounded := hourly(campaigns.CatchUpAll, day)
	bounded.Until = &until
	at := hours(1)
	once := campaigns.Action{ID: "a", Do: campaigns.DoRestart, At: &at, Timezone: "UTC", CatchUp: campaigns.CatchUpLast, CatchUpWindow: campaigns.Duration(day)}
	for claim, c := range map[string]struct {
		action    campaigns.Action
		now       float64
		run       []float64
		missed    int
		watermark float64
		next      float64 // 0 means never
	}{
		"before its time nothing is due":                 {hourly(campaigns.CatchUpLast, day), 0.5, nil, 0, 0, 1},
		"a slot is due at its very instant":              {hourly(campaigns.CatchUpLast, day), 1, []float64{1}, 0, 1, 2},
		"last runs the newest of those that passed":      {hourly(campaigns.CatchUpLast, day), 3.5, []float64{3}, 2, 3, 4},
		"all runs every one, oldest first":               {hourly(campaigns.CatchUpAll, day), 3.5, []float64{1, 2, 3}, 0, 3, 4},
		"none runs one that is on time":                  {hourly(campaigns.CatchUpNone, day), 3 + 1.0/120, []float64{3}, 2, 3, 4},
		"none runs none that is late":                    {hourly(campaigns.CatchUpNone, day), 3.5, nil, 3, 3, 4},
		"the window leaves out what is older":            {hourly(campaigns.CatchUpAll, 2*time.Hour), 6.5, []float64{5, 6}, 4, 6, 7},
		"the window's edge is still in it":               {hourly(campaigns.CatchUpAll, 2*time.Hour), 6, []float64{4, 5, 6}, 3, 6, 7},
		"without a window only what is on time runs":     {hourly(campaigns.CatchUpLast, 0), 6.5, nil, 6, 6.5 - 1.0/60, 7},
		"a clock that went back makes nothing due":       {hourly(campaigns.CatchUpAll, day), -5, nil, 0, 0, 1},
		"the last slot is followed by none":              {bounded, 5.5, []float64{1, 2}, 0, 2, 0},
		"what is over stays over":                        {bounded, 100, nil, 2, 76, 0},
		"one instant runs once":                          {once, 3, []float64{1}, 0, 1, 0},
		"one instant that passed too long ago is missed": {once, 30, nil, 1, 6, 0},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			got := due(t, c.action, noon, hours(c.now))
			want := planner.Due{Run: []time.Time{}, Missed: c.missed, Watermark: hours(c.watermark)}
			for _, h := range c.run {
				want.Run = append(want.Run, hours(h))
			}
			if c.next != 0 {
				want.Next = hours(c.next)
			}
			if len(got.Run) == 0 {
				got.Run = []time.Time{}
			}
			near := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Millisecond })
			if diff := cmp.Diff(want, got, near); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABurstIsBoundedAndToldOfInFull(t *testing.T) {
	t.Parallel()
	a := hourly(campaigns.CatchUpAll, 1000*time.Hour)
	got := due(t, a, noon, hours(250))
	if len(got.Run) != planner.MaxBurst || got.Missed != 150 {
		t.Errorf("%d run and %d are missed, want %d and 150", len(got.Run), got.Missed, planner.MaxBurst)
	}
	if !got.Run[0].Equal(hours(151)) || !got.Watermark.Equal(hours(250)) {
		t.Errorf("it runs from %s to %s, want the newest", got.Run[0], got.Watermark)
	}
}

func TestYearsOfDownTimeCostAMoment(t *testing.T) {
	t.Parallel()
	a := hourly(campaigns.CatchUpLast, 24*time.Hour)
	a.Every = campaigns.Duration(time.Second)
	got := due(t, a, noon, noon.AddDate(20, 0, 0))
	if len(got.Run) != 1 || !got.Run[0].Equal(noon.AddDate(20, 0, 0)) {
		t.Errorf("it runs %v, want the newest alone", got.Run)
	}
	if got.Missed != 10_000 {
		t.Errorf("%d are missed, want the most that is counted", got.Missed)
	}
}

func TestJitterDelaysARunAndNotItsSlot(t *testing.T) {
	t.Parallel()
	a := hourly(campaigns.CatchUpLast, 24*time.Hour)
	a.Jitter = campaigns.Duration(10 * time.Minute)
	s, err := a.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	fire := s.FireAt(hours(1), "c/a")
	early := due(t, a, noon, fire.Add(-time.Nanosecond))
	if len(early.Run) != 0 || !early.Next.Equal(fire) {
		t.Errorf("before %s: %+v, want nothing due and that time next", fire, early)
	}
	onTime := due(t, a, noon, fire)
	if len(onTime.Run) != 1 || !onTime.Run[0].Equal(hours(1)) {
		t.Errorf("at %s: %+v, want the slot of 13:00", fire, onTime)
	}
}

func TestHoweverOftenItIsAskedEachSlotIsDealtWithOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a := hourly(rapid.SampledFrom([]campaigns.CatchUp{campaigns.CatchUpAll, campaigns.CatchUpLast, campaigns.CatchUpNone}).Draw(rt, "policy"), 24*time.Hour)
		a.Every = campaigns.Duration(time.Duration(rapid.IntRange(1, 5).Draw(rt, "minutes")) * time.Minute)
		watermark, now, total := noon, noon, 0
		seen := map[time.Time]bool{}
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 60), 1, 20).Draw(rt, "steps") {
			now = now.Add(time.Duration(step) * time.Minute)
			got := due(t, a, watermark, now)
			for _, slot := range got.Run {
				if seen[slot] {
					rt.Fatalf("slot %s ran twice", slot)
				}
				seen[slot] = true
			}
			total += len(got.Run) + got.Missed
			watermark = got.Watermark
		}
		every := time.Duration(a.Every)
		if want := int(now.Truncate(every).Sub(noon.Truncate(every)) / every); total != want {
			rt.Fatalf("%d slots were dealt with, want %d", total, want)
		}
	})
}

func ExampleDueSlots() {
	a := hourly(campaigns.CatchUpLast, 24*time.Hour)
	s, err := a.Schedule()
	if err != nil {
		fmt.Println(err)
		return
	}
	due := planner.DueSlots(&a, s, "c/a", noon, hours(3.5), time.Minute)
	fmt.Println(due.Run[0].Format(time.TimeOnly), due.Missed, due.Next.Format(time.TimeOnly))
	// Output: 15:00:00 2 16:00:00
}
