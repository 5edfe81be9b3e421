package scheduler_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/scheduler"
)

// noon is when the tests begin.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// rig is a scheduler on a journal of its own.
type rig struct {
	t     *testing.T
	now   time.Time
	books *journal.Journal
	s     *scheduler.Scheduler

	mu      sync.Mutex
	handed  []string
	reviews []journal.Review
	// deaf makes handing on fail.
	deaf bool
}

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: noon}
	rdb, err := embedded.Connect("redis://"+miniredis.RunT(t).Addr(), embedded.Options{Once: true})
	r.must(err)
	t.Cleanup(func() { _ = rdb.Close() })
	r.books, err = journal.Open(rdb)
	r.must(err)
	r.s = r.scheduler()
	return r
}

func (r *rig) scheduler() *scheduler.Scheduler {
	return scheduler.New(scheduler.Config{
		Journal: r.books, Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
		Enqueue: func(_ context.Context, ops []planner.Operation) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.deaf {
				return errors.New("no queue")
			}
			for _, op := range ops {
				r.handed = append(r.handed, op.ID)
			}
			return nil
		},
		Review: func(_ context.Context, review journal.Review) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.reviews = append(r.reviews, review)
			return nil
		},
	})
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// spec is campaign c with one item and some actions.
func spec(actions ...campaigns.Action) *campaigns.Campaign {
	return &campaigns.Campaign{
		Name: "c", Source: "file", Timezone: "UTC", Items: []campaigns.Item{{Key: "a"}},
		Job: &campaigns.Job{Seats: 10}, Actions: actions,
	}
}

func hourly(do campaigns.Verb) campaigns.Action {
	return campaigns.Action{
		ID: string(do), Do: do, Every: campaigns.Duration(time.Hour), Timezone: "UTC", Seats: 5,
		CatchUp: campaigns.CatchUpLast, CatchUpWindow: campaigns.Duration(24 * time.Hour),
		Overlap: campaigns.OverlapSkip, Jobs: campaigns.JobsOnline,
	}
}

func at(do campaigns.Verb) campaigns.Action {
	a := hourly(do)
	a.Every, a.Now = 0, true
	return a
}

func (r *rig) register(c *campaigns.Campaign) {
	r.t.Helper()
	r.must(r.books.Register(r.t.Context(), r.now, c))
}

// tick plans and returns what was handed on by it.
func (r *rig) tick() []string {
	r.t.Helper()
	r.handed = nil
	_, err := r.s.Tick(r.t.Context(), "")
	r.must(err)
	return r.handed
}

// job gives the campaign a job that is online.
func (r *rig) job(id int64) {
	r.t.Helper()
	r.must(r.books.Adopt(r.t.Context(), r.now, journal.Job{ID: id, Campaign: "c", Item: "a", Status: journal.JobOnline}))
}

// settle ends every operation that is queued.
func (r *rig) settle(to planner.State) {
	r.t.Helper()
	ops, err := r.books.Ops(r.t.Context(), journal.Filter{State: planner.Queued})
	r.must(err)
	for _, op := range ops {
		_, err := r.books.Settle(r.t.Context(), journal.Settlement{Op: op, From: planner.Queued, Stamp: op.ID, To: to, Now: r.now})
		r.must(err)
	}
}

func (r *rig) same(what string, got, want any) {
	r.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestASlotIsPlannedAtItsTimeAndOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoCreate)))
	r.same("at once", len(r.tick()), 0)
	r.now = noon.Add(time.Hour - time.Second)
	r.same("before its time", len(r.tick()), 0)
	r.now = noon.Add(time.Hour)
	r.same("at its time", r.tick(), []string{"c/create/a/20261124T130000Z"})
	r.same("again", len(r.tick()), 0)
}

func TestManySchedulersPlanEachSlotOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := hourly(campaigns.DoCreate)
	a.CatchUp, a.Overlap = campaigns.CatchUpAll, campaigns.OverlapAllow
	r.register(spec(a))
	all := []*scheduler.Scheduler{r.s, r.scheduler(), r.scheduler()}
	for range 10 {
		r.now = r.now.Add(2 * time.Hour)
		var wg sync.WaitGroup
		for _, s := range all {
			wg.Go(func() {
				if _, err := s.Tick(t.Context(), ""); err != nil {
					t.Errorf("tick: %v", err)
				}
			})
		}
		wg.Wait()
	}
	slices.Sort(r.handed)
	r.same("handed on", len(r.handed), 20)
	r.same("of them different", len(slices.Compact(r.handed)), 20)
}

func TestASchedulerThatLostItsLeaseStops(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoCreate)))
	old, err := r.books.Lead(t.Context(), "one", "", time.Minute)
	r.must(err)
	r.must(r.books.Yield(t.Context(), "one"))
	fence, err := r.books.Lead(t.Context(), "two", "", time.Minute)
	r.must(err)
	r.now = noon.Add(time.Hour)
	if _, err := r.s.Tick(t.Context(), old); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("error is %v, want ErrFenced", err)
	}
	r.same("handed on", len(r.handed), 0)
	_, err = r.s.Tick(t.Context(), fence)
	r.must(err)
	r.same("handed on by the holder", len(r.handed), 1)
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	for claim, c := range map[string]struct {
		overlap campaigns.Overlap
		before  planner.State // of the last occurrence
		want    planner.State
	}{
		"a slot is skipped while the last is open":            {campaigns.OverlapSkip, planner.Queued, planner.Skipped},
		"a slot runs beside the last where that is allowed":   {campaigns.OverlapAllow, planner.Queued, planner.Queued},
		"a slot runs once the last is settled":                {campaigns.OverlapSkip, planner.Applied, planner.Queued},
		"a slot runs where the last is parked for a person":   {campaigns.OverlapSkip, planner.Parked, planner.Queued},
		"a slot runs where the last was skipped for a budget": {campaigns.OverlapSkip, planner.Skipped, planner.Queued},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			a := hourly(campaigns.DoCreate)
			a.Overlap = c.overlap
			r.register(spec(a))
			r.now = noon.Add(time.Hour)
			r.tick()
			if c.before != planner.Queued {
				r.settle(c.before)
			}
			r.now = noon.Add(2 * time.Hour)
			handed := r.tick()
			op, err := r.books.Get(t.Context(), "c/create/a/20261124T140000Z")
			r.must(err)
			r.same("state", op.State, c.want)
			if (len(handed) == 1) != (c.want == planner.Queued) {
				t.Errorf("handed on: %v", handed)
			}
			if c.want == planner.Skipped && op.Error == "" {
				t.Error("the skipped row has no reason")
			}
		})
	}
}

func TestSlotsThatPassedDuringDownTime(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoCreate)))
	r.now = noon.Add(5*time.Hour + 30*time.Minute)
	r.same("handed on", r.tick(), []string{"c/create/a/20261124T170000Z"})
	missed, err := r.books.Missed(t.Context(), "c", "create")
	r.must(err)
	r.same("missed", missed, 4)
}

func TestACreateThatRunsNowRunsOnceForEachItem(t *testing.T) {
	t.Parallel()
	r := setup(t)
	c := spec(at(campaigns.DoCreate))
	r.register(c)
	r.same("handed on", r.tick(), []string{"c/create/a/20261124T120000Z"})
	r.now = noon.Add(time.Hour)
	c.Items = append(c.Items, campaigns.Item{Key: "b"})
	r.register(c)
	r.same("for a new row", r.tick(), []string{"c/create/b/20261124T120000Z"})
	r.register(c)
	r.same("for none", len(r.tick()), 0)
}

func TestWhatRunsNowWaitsForTheJobsOnTheirWay(t *testing.T) {
	t.Parallel()
	r := setup(t)
	create := at(campaigns.DoCreate)
	create.ID = "make"
	c := spec(at(campaigns.DoAddSeats), create) // in an order that does not help
	c.Items = append(c.Items, campaigns.Item{Key: "b"})
	r.register(c)
	r.same("at first", r.tick(), []string{"c/make/a/20261124T120000Z", "c/make/b/20261124T120000Z"})
	r.job(1)
	r.now = noon.Add(3 * time.Second)
	r.same("with the first job", r.tick(), []string{"c/add_seats/a@1/20261124T120000Z"})
	r.job(2)
	ops, err := r.books.Ops(t.Context(), journal.Filter{Campaign: "c"})
	r.must(err)
	for _, op := range ops {
		if op.Kind == planner.Create {
			_, err := r.books.Settle(t.Context(), journal.Settlement{Op: op, From: planner.Queued, Stamp: op.ID, To: planner.Applied, Now: r.now})
			r.must(err)
		}
	}
	r.now = noon.Add(6 * time.Second)
	r.same("with the second", r.tick(), []string{"c/add_seats/a@2/20261124T120000Z"})
	r.now = noon.Add(time.Hour)
	r.job(3)
	r.register(c)
	r.same("with a later job, applied again", len(r.tick()), 0)
}

func TestARemovedCampaignIsNotPlanned(t *testing.T) {
	t.Parallel()
	for _, state := range []journal.CampaignState{journal.Removed, journal.Paused} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			r.register(spec(hourly(campaigns.DoCreate)))
			r.now = noon.Add(time.Hour)
			r.must(r.books.Steer(t.Context(), r.now, "c", state, ""))
			r.same("handed on", len(r.tick()), 0)
			looked, err := r.s.Tick(t.Context(), "")
			r.must(err)
			r.same("looked at", looked, 0)
		})
	}
}

func TestAnActionThatASpecDroppedLeavesTheSchedule(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoCreate), hourly(campaigns.DoRestart)))
	r.register(spec(hourly(campaigns.DoRestart)))
	r.now = noon.Add(time.Hour)
	looked, err := r.s.Tick(t.Context(), "")
	r.must(err)
	r.same("looked at", looked, 1)
	r.same("handed on", len(r.handed), 0)
}

func TestAStopHoldsPlanningToo(t *testing.T) {
	t.Parallel()
	r := setup(t)
	a := hourly(campaigns.DoCreate)
	a.Overlap = campaigns.OverlapAllow
	r.register(spec(a))
	r.must(r.books.Stop(t.Context(), "fire"))
	for range 3 {
		r.now = r.now.Add(time.Hour)
		r.same("handed on", len(r.tick()), 0)
	}
	r.must(r.books.Stop(t.Context(), ""))
	r.same("handed on afterwards, by catch_up", r.tick(), []string{"c/create/a/20261124T150000Z"})
}

func TestARatingRunIsRegisteredAndHandedOn(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoRate)))
	r.now = noon.Add(time.Hour)
	r.same("operations", len(r.tick()), 0)
	want := []journal.Review{{Campaign: "c", Action: "rate", Slot: noon.Add(time.Hour)}}
	r.same("handed on", r.reviews, want)
	open, err := r.books.Reviews(t.Context())
	r.must(err)
	r.same("registered", open, want)
}

func TestWhatCannotBeHandedOnIsWrittenAllTheSame(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(hourly(campaigns.DoCreate)))
	r.deaf, r.now = true, noon.Add(time.Hour)
	r.same("handed on", len(r.tick()), 0)
	op, err := r.books.Get(t.Context(), "c/create/a/20261124T130000Z")
	r.must(err)
	r.same("state", op.State, planner.Queued)
}

func TestFirePlansOneCampaignAtOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(spec(at(campaigns.DoCreate), hourly(campaigns.DoRestart), campaigns.Action{ID: "on", Do: campaigns.DoRate, On: campaigns.OnNewApplication}))
	ops, err := r.s.Fire(t.Context(), "c")
	r.must(err)
	r.same("operations", len(ops), 1)
	ops, err = r.s.Fire(t.Context(), "c")
	r.must(err)
	r.same("operations again", len(ops), 0)
	if _, err := r.s.Fire(t.Context(), "nobody"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
}

func TestOneBrokenCampaignHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	r := setup(t)
	broken := hourly(campaigns.DoCreate)
	broken.Every, broken.Cron = 0, "not a schedule"
	c := spec(broken)
	c.Name = "a-broken-one"
	r.register(c)
	r.register(spec(hourly(campaigns.DoCreate)))
	r.now = noon.Add(time.Hour)
	if _, err := r.s.Tick(t.Context(), ""); err == nil {
		t.Error("a schedule that cannot be read brought no error")
	}
	r.same("handed on", len(r.handed), 1)
}
