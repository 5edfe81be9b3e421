package scheduler_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// id is the create of campaign c whose slot is some hours after noon.
func id(action string, hours int) string {
	return planner.NewID("c", action, "a", noon.Add(time.Duration(hours)*time.Hour))
}

// replaying is an hourly create that makes up for every slot, in turn.
func replaying() campaigns.Action {
	a := hourly(campaigns.DoCreate)
	a.CatchUp = campaigns.CatchUpAll
	return a
}

// second lets a second pass, which is how often a replay looks whether it may
// go on.
func (r *rig) second() { r.now = r.now.Add(time.Second) }

func TestMissedSlotsThatMustNotOverlapAreMadeUpForInTurn(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(replaying()))
	r.now = noon.Add(3*time.Hour + 30*time.Minute)
	for n := 1; n <= 3; n++ {
		r.same("in turn", r.tick(), []string{id("create", n)})
		r.second()
		r.same("while it is not settled", len(r.tick()), 0)
		r.settle(planner.Applied)
		r.second()
	}
	r.same("afterwards", len(r.tick()), 0)
	r.now = noon.Add(4 * time.Hour)
	r.same("on time", r.tick(), []string{id("create", 4)})
	r.now = noon.Add(5 * time.Hour)
	r.same("on time, and the last is not settled", len(r.tick()), 0)
	op, err := r.books.Get(t.Context(), id("create", 5))
	r.must(err)
	r.same("state", op.State, planner.Skipped)
	missed, err := r.books.Missed(t.Context(), "c", "create")
	r.must(err)
	r.same("missed", missed, 0)
}

func TestASlotThatComesDueDuringAReplayQueuesBehind(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(replaying()))
	r.now = noon.Add(2*time.Hour + 30*time.Minute)
	r.same("first", r.tick(), []string{id("create", 1)})
	r.now = noon.Add(3 * time.Hour)
	r.same("on time, but not first in line", len(r.tick()), 0)
	var got []string
	for range 4 {
		r.settle(planner.Applied)
		r.second()
		got = append(got, r.tick()...)
	}
	r.same("in turn", got, []string{id("create", 2), id("create", 3)})
}

func TestAReplayWithoutOverlapRunsAtOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := replaying()
	a.Overlap = campaigns.OverlapAllow
	r.register(spec(a))
	r.now = noon.Add(3*time.Hour + 30*time.Minute)
	r.same("at once", r.tick(), []string{id("create", 1), id("create", 2), id("create", 3)})
}

func TestAReplayIsCappedAndCountsWhatItLeavesOutOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := replaying()
	a.CatchUpWindow = campaigns.Duration(1000 * time.Hour)
	r.register(spec(a))
	r.now = noon.Add(250 * time.Hour)
	total := 0
	for range 250 {
		total += len(r.tick())
		r.settle(planner.Applied)
		r.second()
	}
	r.same("made up for", total, planner.MaxBurst)
	missed, err := r.books.Missed(t.Context(), "c", "create")
	r.must(err)
	r.same("left out", missed, 150)
}

// TestEditsDuringAReplay has one outcome for each edit: five slots were missed,
// two are made up for when it comes.
func TestEditsDuringAReplay(t *testing.T) {
	t.Parallel()
	half := noon.Add(5*time.Hour + 30*time.Minute)
	for claim, c := range map[string]struct {
		edit func(r *rig)
		// want are the slots by action and hours after noon that run up to 19:00.
		want []string
	}{
		"left alone, the others follow": {
			func(*rig) {},
			[]string{id("create", 3), id("create", 4), id("create", 5), id("create", 6), id("create", 7)},
		},
		"a parameter edited: the others follow by the new spec": {
			func(r *rig) { a := replaying(); a.Seats = 7; r.register(spec(a)) },
			[]string{id("create", 3), id("create", 4), id("create", 5), id("create", 6), id("create", 7)},
		},
		"catch_up edited: the new policy says which of the others run": {
			func(r *rig) { a := replaying(); a.CatchUp = campaigns.CatchUpLast; r.register(spec(a)) },
			[]string{id("create", 5), id("create", 6), id("create", 7)},
		},
		"times edited: the others are dropped, the new times count from now": {
			func(r *rig) { a := replaying(); a.Every *= 2; r.register(spec(a)) },
			[]string{id("create", 6)},
		},
		"zone edited: the others are dropped, the new times count from now": {
			func(r *rig) { a := replaying(); a.Timezone = "Asia/Kathmandu"; r.register(spec(a)) },
			[]string{id("create", 6), id("create", 7)},
		},
		"from moved back: no time before the edit is made up for": {
			func(r *rig) { a := replaying(); a.From = &noon; r.register(spec(a)) },
			[]string{id("create", 6), id("create", 7)},
		},
		"renamed: the old one's are dropped, the new one counts from now": {
			func(r *rig) { a := replaying(); a.ID = "other"; r.register(spec(a)) },
			[]string{id("other", 6), id("other", 7)},
		},
		"removed: nothing more runs": {
			func(r *rig) { r.must(r.books.Steer(r.t.Context(), r.now, "c", journal.Removed, "")) },
			nil,
		},
		"removed and re-added: it counts from now": {
			func(r *rig) {
				r.must(r.books.Steer(r.t.Context(), r.now, "c", journal.Removed, ""))
				r.now = r.now.Add(time.Hour)
				r.register(spec(replaying()))
			},
			[]string{id("create", 7)},
		},
		"paused and resumed: the others follow": {
			func(r *rig) {
				r.must(r.books.Steer(r.t.Context(), r.now, "c", journal.Paused, ""))
				r.second()
				r.must(r.books.Steer(r.t.Context(), r.now, "c", journal.Active, ""))
			},
			[]string{id("create", 3), id("create", 4), id("create", 5), id("create", 6), id("create", 7)},
		},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			r.register(spec(replaying()))
			r.now = half
			for n := 1; n <= 2; n++ {
				r.same("before the edit", r.tick(), []string{id("create", n)})
				r.settle(planner.Applied)
				r.second()
			}
			c.edit(r)
			var got []string
			for at := r.now; at.Before(noon.Add(8 * time.Hour)); at = at.Add(time.Minute) {
				r.now = at
				got = append(got, r.tick()...)
				r.settle(planner.Applied)
			}
			r.same("afterwards", got, c.want)
		})
	}
}

func TestWhatRanNowDoesNotRunForJobsThatAnEditMakes(t *testing.T) {
	t.Parallel()
	r := setup(t)
	add := at(campaigns.DoAddSeats)
	c := spec(at(campaigns.DoCreate), add)
	r.register(c)
	r.job(1)
	r.tick()
	r.settle(planner.Applied)
	r.now = noon.Add(time.Minute)
	r.tick()
	r.settle(planner.Applied)
	c.Items = append(c.Items, campaigns.Item{Key: "b"})
	r.register(c)
	ops, err := r.s.Fire(t.Context(), "c")
	r.must(err)
	r.same("of the edit", len(ops), 1)
	r.job(2)
	r.settle(planner.Applied)
	r.now = noon.Add(time.Hour)
	r.same("for the job of the new row", len(r.tick()), 0)
}

func TestAnActionThatWasResumedMeanwhileStaysOnTheSchedule(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoCreate)))
	e := journal.Entry{Campaign: "c", Action: "create"}
	r.must(r.books.Unschedule(t.Context(), "", e)) // by one that read it while it was paused
	r.now = noon.Add(time.Hour)
	r.same("handed on", len(r.tick()), 1)
	if err := r.books.Unschedule(t.Context(), "stale", e); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("error is %v, want ErrFenced", err)
	}
	r.must(r.books.Steer(t.Context(), r.now, "c", journal.Paused, ""))
	r.must(r.books.Unschedule(t.Context(), "", e))
	r.now = noon.Add(2 * time.Hour)
	looked, err := r.s.Tick(t.Context(), "")
	r.must(err)
	r.same("looked at while paused", looked, 0)
}

func TestNothingIsPlannedByASpecThatWasEditedMeanwhile(t *testing.T) {
	t.Parallel()
	r := setup(t)
	c := spec(hourly(campaigns.DoCreate))
	r.register(c)
	old := c.Digest()
	c.Items = nil
	r.register(c)
	for claim, digest := range map[string]string{"an edited spec": old, "a paused campaign": c.Digest()} {
		if claim == "a paused campaign" {
			r.must(r.books.Steer(t.Context(), r.now, "c", journal.Paused, ""))
		}
		occ := journal.Occurrence{Campaign: "c", Action: "create", Expected: noon, Watermark: noon.Add(time.Hour), Digest: digest}
		op := planner.Operation{ID: id("create", 1), Campaign: "c", Action: "create", Item: "a", Kind: planner.Create, Slot: noon.Add(time.Hour)}
		_, err := r.books.Create(t.Context(), r.now, &occ, journal.Queue([]planner.Operation{op}))
		if !errors.Is(err, journal.ErrMoved) {
			t.Errorf("%s: error is %v, want ErrMoved", claim, err)
		}
	}
	held, err := r.books.Held(t.Context(), []string{id("create", 1)})
	r.must(err)
	r.same("written", len(held), 0)
}

// TestALeaderThatSleptPastItsLeaseIsFenced stops a leader between reading what
// is due and writing it, as a stopped process or a suspended machine would.
func TestALeaderThatSleptPastItsLeaseIsFenced(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	rdb, err := embedded.Connect("redis://"+server.Addr(), embedded.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	r := &rig{t: t, now: noon}
	r.books, err = journal.Open(rdb)
	r.must(err)
	r.s = r.scheduler()
	const lease, renew = 10 * time.Second, 3 * time.Second
	clock := func(d time.Duration) {
		r.now = noon.Add(d)
		server.SetTime(r.now)
	}
	clock(0)
	a := hourly(campaigns.DoCreate)
	a.Every = campaigns.Duration(time.Second)
	a.Overlap = campaigns.OverlapAllow
	a.CatchUp = campaigns.CatchUpAll
	r.register(spec(a))
	first, err := r.books.Lead(t.Context(), "first", "", lease)
	r.must(err)
	var taken time.Duration
	var second string
	for d := renew; second == ""; d += renew {
		clock(d)
		second, err = r.books.Lead(t.Context(), "second", "", lease)
		r.must(err)
		taken = d
	}
	if taken > 15*time.Second {
		t.Errorf("the standby took over %s after the leader's last word", taken)
	}
	if _, err := r.s.Tick(t.Context(), first); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("the sleeper's error is %v, want ErrFenced", err)
	}
	r.same("planned by the sleeper", len(r.handed), 0)
	_, err = r.s.Tick(t.Context(), second)
	r.must(err)
	r.same("planned by the standby", len(r.handed), int(taken/time.Second))
	again, err := r.books.Lead(t.Context(), "first", "", lease)
	r.must(err)
	r.same("the sleeper's lease", again, "")
}

func TestStepsOfTheClockNeitherLoseNorRepeatASlot(t *testing.T) {
	t.Parallel()
	for claim, steps := range map[string][]time.Duration{
		"an hour forward":            {time.Hour, 2 * time.Hour, 4 * time.Hour, 5 * time.Hour},
		"an hour back":               {time.Hour, 2 * time.Hour, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 5 * time.Hour},
		"back and forth":             {2 * time.Hour, time.Hour, 3 * time.Hour, 2 * time.Hour, 4 * time.Hour, 5 * time.Hour},
		"asleep from 13:00 to 17:00": {time.Hour, 5 * time.Hour},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			a := replaying()
			a.Overlap = campaigns.OverlapAllow
			r.register(spec(a))
			var got []string
			for _, step := range steps {
				r.now = noon.Add(step)
				got = append(got, r.tick()...)
			}
			r.same("slots", got, []string{id("create", 1), id("create", 2), id("create", 3), id("create", 4), id("create", 5)})
		})
	}
}

func TestNinetyDaysOfDownTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		policy      campaigns.CatchUp
		window      time.Duration
		run, missed int
	}{
		{campaigns.CatchUpLast, day, 1, 2160 - 1},
		{campaigns.CatchUpNone, day, 0, 2160},
		{campaigns.CatchUpAll, day, 24, 2160 - 24},
		{campaigns.CatchUpAll, 90 * day, planner.MaxBurst, 2160 - planner.MaxBurst},
	} {
		t.Run(fmt.Sprint(c.policy, " within ", c.window), func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			a := hourly(campaigns.DoCreate)
			a.CatchUp, a.CatchUpWindow, a.Overlap = c.policy, campaigns.Duration(c.window), campaigns.OverlapAllow
			r.register(spec(a))
			r.now = noon.Add(90*day + 30*time.Minute)
			r.same("run", len(r.tick()), c.run)
			missed, err := r.books.Missed(t.Context(), "c", "create")
			r.must(err)
			r.same("missed", missed, c.missed)
			r.now = noon.Add(90*day + time.Hour)
			r.same("the next, on time", r.tick(), []string{id("create", 90*24+1)})
		})
	}
}

func TestTheLagIsThatOfWhatWaitsTheLongest(t *testing.T) {
	t.Parallel()
	r := setup(t)
	var lag time.Duration
	r.s.Lag = func(d time.Duration) { lag = d }
	r.register(spec(hourly(campaigns.DoCreate)))
	r.now = noon.Add(time.Hour + 7*time.Second)
	r.tick()
	r.same("lag", lag, 7*time.Second)
	r.tick()
	r.same("lag once it is planned", lag, time.Duration(0))
}
