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
	return &Scheduler{Config: cfg, specs: journal.NewSpecs(cfg.Journal)}
}

// tickSize is how many actions one tick looks at.
const tickSize = 500

// Tick plans what is due by now and returns how many actions it looked at. The
// fence is the lease's token; "" plans without a lease, which is safe too, as
// the watermarks are compared, but may do work twice.
func (s *Scheduler) Tick(ctx context.Context, fence string) (int, error) {
	stopped, err := s.Journal.Stopped(ctx)
	if err != nil || stopped != "" {
		return 0, err
	}
	entries, err := s.Journal.DueEntries(ctx, s.Now(), tickSize)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return len(entries), s.fireAll(ctx, fence, entries)
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
		if sp.Spec.Actions[i].On == "" {
			actions = append(actions, sp.Spec.Actions[i].ID)
		}
	}
	entries, err := s.Journal.Entries(ctx, campaign, actions)
	if err != nil {
		return nil, err
	}
	var all []planner.Operation
	s.createsFirst(entries)
	for _, e := range entries {
		ops, err := s.fire(ctx, "", e)
		if err != nil && !errors.Is(err, journal.ErrMoved) {
			return all, err
		}
		all = append(all, ops...)
	}
	return all, nil
}

// fireAll plans several actions; one that fails does not hold up the others.
func (s *Scheduler) fireAll(ctx context.Context, fence string, entries []journal.Entry) error {
	seen := map[string]bool{}
	var names []string
	for _, e := range entries {
		if !seen[e.Campaign] {
			seen[e.Campaign] = true
			names = append(names, e.Campaign)
		}
	}
	if err := s.specs.Refresh(ctx, names); err != nil {
		return err
	}
	var errs []error
	s.createsFirst(entries)
	for _, e := range entries {
		_, err := s.fire(ctx, fence, e)
		switch {
		case errors.Is(err, journal.ErrFenced):
			return err
		case errors.Is(err, journal.ErrMoved):
		case err != nil:
			errs = append(errs, fmt.Errorf("%s/%s: %w", e.Campaign, e.Action, err))
		}
	}
	return errors.Join(errs...)
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
func (s *Scheduler) fire(ctx context.Context, fence string, e journal.Entry) ([]planner.Operation, error) {
	sp := s.specs.Get(e.Campaign)
	if sp == nil || sp.Action(e.Action) == nil || sp.State != journal.Active {
		return nil, s.Journal.Unschedule(ctx, e)
	}
	a := sp.Action(e.Action)
	now := s.Now()
	occ := journal.Occurrence{Campaign: e.Campaign, Action: e.Action, Fence: fence, Expected: e.Watermark, Watermark: e.Watermark}
	due := planner.Due{Run: []time.Time{e.Watermark}, Watermark: e.Watermark}
	if !a.Now {
		schedule, err := sp.Schedule(a)
		if err != nil {
			return nil, err
		}
		due = planner.DueSlots(a, schedule, e.Campaign+"/"+e.Action, e.Watermark, now, s.Grace)
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
func (s *Scheduler) plan(ctx context.Context, sp *journal.Spec, a *campaigns.Action, occ journal.Occurrence, slots []time.Time, now time.Time) ([]planner.Operation, error) {
	if a.Now && a.Do != campaigns.DoCreate && a.Do != campaigns.DoRate {
		coming, err := s.creating(ctx, sp)
		if err != nil {
			return nil, err
		}
		if coming {
			occ.Next = now.Add(waitForJobs)
		}
	}
	// Jobs are read after what is on its way, so that none falls between.
	rows, err := s.rows(ctx, sp, a, slots)
	if err != nil {
		return nil, err
	}
	if a.Do == campaigns.DoRate && len(slots) > 0 {
		occ.Review = slots[len(slots)-1]
	}
	created, err := s.Journal.Create(ctx, now, &occ, rows)
	if err != nil {
		return nil, err
	}
	return s.handOn(ctx, rows, created, occ)
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
	for i, slot := range slots {
		for _, op := range planner.Expand(sp.Spec, a, slot, jobs) {
			row := journal.New{Operation: op, State: planner.Queued}
			if busy || (i > 0 && a.Overlap == campaigns.OverlapSkip) {
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
func (s *Scheduler) handOn(ctx context.Context, rows []journal.New, created []string, occ journal.Occurrence) ([]planner.Operation, error) {
	fresh := make(map[string]bool, len(created))
	for _, id := range created {
		fresh[id] = true
	}
	var ops []planner.Operation
	for _, row := range rows {
		if fresh[row.ID] && row.State == planner.Queued {
			ops = append(ops, row.Operation)
		}
	}
	if len(ops) > 0 {
		if err := s.Enqueue(ctx, ops); err != nil {
			s.Log.WarnContext(ctx, "new operations could not be enqueued; the sweeper will find them", "err", err)
		}
	}
	if !occ.Review.IsZero() {
		r := journal.Review{Campaign: occ.Campaign, Action: occ.Action, Slot: occ.Review}
		if err := s.Review(ctx, r); err != nil {
			s.Log.WarnContext(ctx, "a rating run could not be enqueued; the sweeper will find it", "err", err)
		}
	}
	return ops, nil
}
