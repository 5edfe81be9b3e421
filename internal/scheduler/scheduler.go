// Package scheduler plans what is due. Of all runners on one Redis one holds
// the lease and plans; the others stand by.
//
// Actions wait in a sorted set by the time of their next slot, so a tick costs
// what is due and not what is registered. The operations of a slot and the
// action's watermark are written together: edited, restarted or doubled, a slot
// is planned once.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Config is what a scheduler is made of.
type Config struct {
	Journal *journal.Journal
	Now     func() time.Time
	Log     *slog.Logger
	// Enqueue hands new operations on; Review hands on a rating run.
	Enqueue func(ctx context.Context, ops []planner.Operation) error
	Review  func(ctx context.Context, r journal.Review) error
	// Grace is how late a slot may be and still be on time. Default 1m.
	Grace time.Duration
	// Abreast is how many campaigns are planned at a time: their scripts share
	// pipelines, and so a write of Redis to the disk. Default 32; 1 makes a run
	// repeatable.
	Abreast int
	// Lag, where set, is told with each tick how long the action has been due
	// that waits the longest.
	Lag func(time.Duration)
}

// Scheduler plans the slots of registered actions.
type Scheduler struct {
	Config
	specs *journal.Specs
}

// New returns a scheduler.
func New(cfg Config) *Scheduler {
	if cfg.Grace <= 0 {
		cfg.Grace = time.Minute
	}
	if cfg.Abreast <= 0 {
		cfg.Abreast = 32
	}
	if cfg.Lag == nil {
		cfg.Lag = func(time.Duration) {}
	}
	return &Scheduler{Config: cfg, specs: journal.NewSpecs(cfg.Journal)}
}

const (
	// pageSize is how many actions are read at once, and tickPages how many such
	// pages one tick plans at most, so that the lease is renewed in time.
	pageSize  = 500
	tickPages = 10
)

// Tick plans what is due by now and returns how many actions it looked at. The
// fence is the lease's token; "" plans without a lease, which is safe too, as
// the watermarks are compared, but may do work twice.
func (s *Scheduler) Tick(ctx context.Context, fence string) (int, error) {
	stopped, err := s.Journal.Stopped(ctx)
	if err != nil || stopped != "" {
		return 0, err
	}
	looked := 0
	for page := range tickPages {
		now := s.Now()
		entries, err := s.Journal.DueEntries(ctx, now, pageSize)
		if err != nil {
			return looked, err
		}
		if page == 0 {
			s.tellLag(now, entries)
		}
		looked += len(entries)
		if len(entries) > 0 {
			err = s.fireAll(ctx, fence, entries)
		}
		if err != nil || len(entries) < pageSize {
			return looked, err
		}
	}
	return looked, nil
}

func (s *Scheduler) tellLag(now time.Time, entries []journal.Entry) {
	if len(entries) == 0 {
		s.Lag(0)
		return
	}
	s.Lag(now.Sub(entries[0].Due))
}

// Fire plans what is due of one campaign and returns the new operations.
func (s *Scheduler) Fire(ctx context.Context, campaign string) ([]planner.Operation, error) {
	if err := s.specs.Refresh(ctx, []string{campaign}); err != nil {
		return nil, err
	}
	sp := s.specs.Get(campaign)
	if sp == nil {
		return nil, fmt.Errorf("campaign %q: %w", campaign, journal.ErrNotFound)
	}
	var actions []string
	for i := range sp.Spec.Actions {
		if !sp.Spec.Actions[i].Waits() {
			actions = append(actions, sp.Spec.Actions[i].ID)
		}
	}
	entries, err := s.Journal.Entries(ctx, campaign, actions)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e journal.Entry) bool { return e.Due.IsZero() })
	s.createsFirst(entries)
	var all work
	for _, e := range entries {
		w, err := s.fire(ctx, "", e)
		if err != nil && !errors.Is(err, journal.ErrMoved) {
			s.handOn(ctx, all)
			return all.ops, err
		}
		all.add(w)
	}
	s.handOn(ctx, all)
	return all.ops, nil
}

// work is what was written and is to be handed on.
type work struct {
	ops     []planner.Operation
	reviews []journal.Review
}

func (w *work) add(more work) {
	w.ops, w.reviews = append(w.ops, more.ops...), append(w.reviews, more.reviews...)
}

// fireAll plans several actions; one that fails does not hold up the others.
// Those of one campaign are planned one after the other.
func (s *Scheduler) fireAll(ctx context.Context, fence string, entries []journal.Entry) error {
	var names []string
	of := map[string][]journal.Entry{}
	for _, e := range entries {
		if of[e.Campaign] == nil {
			names = append(names, e.Campaign)
		}
		of[e.Campaign] = append(of[e.Campaign], e)
	}
	if err := s.specs.Refresh(ctx, names); err != nil {
		return err
	}
	done := make([]work, len(names))
	errs := make([]error, len(names))
	var group errgroup.Group
	group.SetLimit(s.Abreast)
	for i, name := range names {
		group.Go(func() error {
			done[i], errs[i] = s.fireCampaign(ctx, fence, of[name])
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	var all work
	for _, w := range done {
		all.add(w)
	}
	s.handOn(ctx, all)
	return errors.Join(errs...)
}

func (s *Scheduler) fireCampaign(ctx context.Context, fence string, entries []journal.Entry) (work, error) {
	var all work
	var errs []error
	s.createsFirst(entries)
	for _, e := range entries {
		w, err := s.fire(ctx, fence, e)
		switch {
		case errors.Is(err, journal.ErrFenced):
			return all, err
		case errors.Is(err, journal.ErrMoved):
		case err != nil:
			errs = append(errs, fmt.Errorf("%s/%s: %w", e.Campaign, e.Action, err))
		}
		all.add(w)
	}
	return all, errors.Join(errs...)
}

// createsFirst puts creates ahead, so that what acts on their jobs knows of them.
func (s *Scheduler) createsFirst(entries []journal.Entry) {
	rank := func(e journal.Entry) int {
		if sp := s.specs.Get(e.Campaign); sp != nil {
			if a := sp.Action(e.Action); a != nil && a.Do == campaigns.DoCreate {
				return 0
			}
		}
		return 1
	}
	slices.SortStableFunc(entries, func(a, b journal.Entry) int { return rank(a) - rank(b) })
}

// fire plans the due slots of one action.
func (s *Scheduler) fire(ctx context.Context, fence string, e journal.Entry) (work, error) {
	sp := s.specs.Get(e.Campaign)
	if sp == nil || sp.Action(e.Action) == nil || sp.State != journal.Active {
		return work{}, s.Journal.Unschedule(ctx, fence, e)
	}
	a := sp.Action(e.Action)
	if e.Backfill {
		return s.backfill(ctx, fence, sp, a)
	}
	now := s.Now()
	occ := journal.Occurrence{
		Campaign: e.Campaign, Action: e.Action, Fence: fence, Digest: sp.Digest,
		Expected: e.Watermark, Watermark: e.Watermark,
	}
	due := planner.Due{Run: []time.Time{e.Watermark}, Watermark: e.Watermark}
	if !a.Now {
		schedule, err := sp.Schedule(a)
		if err != nil {
			return work{}, err
		}
		due = planner.DueSlots(a, schedule, e.Campaign+"/"+e.Action, e.Watermark, now, s.Grace)
		if due, err = s.oneByOne(ctx, a, schedule, e, due); err != nil {
			return work{}, err
		}
	}
	occ.Watermark, occ.Next, occ.Missed = due.Watermark, due.Next, due.Missed
	if due.Missed > 0 {
		s.Log.InfoContext(ctx, "slots were left out", "campaign", e.Campaign, "action", e.Action, "slots", due.Missed)
	}
	return s.plan(ctx, sp, a, occ, due.Run, now)
}

// waitForJobs is how long an action that is to run now waits for the jobs of a
// create that is on its way.
const waitForJobs = 2 * time.Second

// plan writes the operations of some slots of an action, oldest first.
func (s *Scheduler) plan(ctx context.Context, sp *journal.Spec, a *campaigns.Action, occ journal.Occurrence, slots []time.Time, now time.Time) (work, error) {
	if a.Now && a.Do != campaigns.DoCreate && a.Do != campaigns.DoRate {
		coming, err := s.creating(ctx, sp)
		if err != nil {
			return work{}, err
		}
		if coming {
			occ.Next = now.Add(waitForJobs)
		}
	}
	// Jobs are read after what is on its way, so that none falls between.
	rows, err := s.rows(ctx, sp, a, slots)
	if err != nil {
		return work{}, err
	}
	if a.Do == campaigns.DoRate && len(slots) > 0 {
		occ.Review = slots[len(slots)-1]
	}
	return s.write(ctx, now, occ, rows)
}

// write writes the operations of an occurrence and returns those that are new.
func (s *Scheduler) write(ctx context.Context, now time.Time, occ journal.Occurrence, rows []journal.New) (work, error) {
	created, err := s.Journal.Create(ctx, now, &occ, rows)
	w := work{ops: fresh(rows, created)}
	if err == nil && !occ.Review.IsZero() {
		w.reviews = append(w.reviews, journal.Review{Campaign: occ.Campaign, Action: occ.Action, Slot: occ.Review})
	}
	return w, err
}

// fresh are the operations to carry out that were written anew.
func fresh(rows []journal.New, created []string) []planner.Operation {
	anew := make(map[string]bool, len(created))
	for _, id := range created {
		anew[id] = true
	}
	var ops []planner.Operation
	for _, row := range rows {
		if anew[row.ID] && row.State == planner.Queued {
			ops = append(ops, row.Operation)
		}
	}
	return ops
}

// creating tells whether jobs of a campaign are on their way.
func (s *Scheduler) creating(ctx context.Context, sp *journal.Spec) (bool, error) {
	for i := range sp.Spec.Actions {
		a := &sp.Spec.Actions[i]
		if a.Do != campaigns.DoCreate {
			continue
		}
		live, err := s.Journal.Live(ctx, sp.Spec.Name, a.ID)
		if err != nil || live > 0 {
			return live > 0, err
		}
	}
	return false, nil
}

// rows are the operations of some slots. Where the last occurrence is not
// settled and may not be overlapped, they are skipped with the reason.
func (s *Scheduler) rows(ctx context.Context, sp *journal.Spec, a *campaigns.Action, slots []time.Time) ([]journal.New, error) {
	if len(slots) == 0 || a.Do == campaigns.DoRate {
		return nil, nil
	}
	jobs, err := s.jobs(ctx, sp.Spec.Name, a)
	if err != nil {
		return nil, err
	}
	busy := false
	if a.Overlap == campaigns.OverlapSkip && !a.Now {
		live, err := s.Journal.Live(ctx, sp.Spec.Name, a.ID)
		if err != nil {
			return nil, err
		}
		busy = live > 0
	}
	var rows []journal.New
	for _, slot := range slots {
		for _, op := range planner.Expand(sp.Spec, a, slot, jobs) {
			row := journal.New{Operation: op, State: planner.Queued}
			if busy {
				row.State, row.Error = planner.Skipped, "the last occurrence of this action is not settled yet"
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (s *Scheduler) jobs(ctx context.Context, campaign string, a *campaigns.Action) ([]planner.Job, error) {
	if a.Do == campaigns.DoCreate {
		return nil, nil
	}
	jobs, err := s.Journal.Jobs(ctx, campaign)
	return journal.Views(jobs), err
}

// handOn enqueues what was written anew. What gets lost on the way is found by
// the sweeper.
func (s *Scheduler) handOn(ctx context.Context, w work) {
	if len(w.ops) > 0 {
		if err := s.Enqueue(ctx, w.ops); err != nil {
			s.Log.WarnContext(ctx, "new operations could not be enqueued; the sweeper will find them", "err", err)
		}
	}
	for _, r := range w.reviews {
		if err := s.Review(ctx, r); err != nil {
			s.Log.WarnContext(ctx, "a rating run could not be enqueued; the sweeper will find it", "err", err)
		}
	}
}
