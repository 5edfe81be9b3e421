package scheduler

import (
	"context"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// replayEvery is how often an action is looked at that makes up for slots one
// after the other.
const replayEvery = time.Second

// oneByOne makes up for missed slots in turn where an action may not overlap
// itself: the next is planned once the last is settled, and those that come due
// meanwhile queue behind. Without missed slots it changes nothing: a slot on
// time that finds the last one unsettled is skipped.
//
// The place in the schedule tells the two apart: a slot on time is looked at
// when it is due, one that waited for its turn later.
func (s *Scheduler) oneByOne(ctx context.Context, a *campaigns.Action, sc *campaigns.Schedule, e journal.Entry, due planner.Due) (planner.Due, error) {
	if a.CatchUp != campaigns.CatchUpAll || a.Overlap != campaigns.OverlapSkip || a.Do == campaigns.DoRate || len(due.Run) == 0 {
		return due, nil
	}
	first := due.Run[0]
	if len(due.Run) == 1 && e.Due.UnixMilli() <= sc.FireAt(first, e.Campaign+"/"+e.Action).UnixMilli() {
		return due, nil
	}
	live, err := s.Journal.Live(ctx, e.Campaign, e.Action)
	if err != nil {
		return due, err
	}
	again := s.Now().Add(replayEvery)
	switch {
	case live > 0:
		due.Run, due.Watermark, due.Next = nil, first.Add(-time.Millisecond), again
	case len(due.Run) > 1:
		due.Run, due.Watermark, due.Next = due.Run[:1], first, again
	}
	return due, nil
}

// backfillAtOnce is how many slots of a backfill are written at a time where
// they may overlap.
const backfillAtOnce = 20

// backfill plans slots that a person asked for by name, oldest first; where the
// action may not overlap itself, each once the last is settled.
func (s *Scheduler) backfill(ctx context.Context, fence string, sp *journal.Spec, a *campaigns.Action) (work, error) {
	now := s.Now()
	most := backfillAtOnce
	if a.Overlap == campaigns.OverlapSkip {
		live, err := s.Journal.Live(ctx, sp.Spec.Name, a.ID)
		if err != nil {
			return work{}, err
		}
		most = 1
		if live > 0 {
			return work{}, s.Journal.PutOff(ctx, sp.Spec.Name, a.ID, now.Add(replayEvery))
		}
	}
	slots, err := s.Journal.Backfilling(ctx, sp.Spec.Name, a.ID, most)
	if err != nil {
		return work{}, err
	}
	jobs, err := s.jobs(ctx, sp.Spec.Name, a)
	if err != nil {
		return work{}, err
	}
	var all work
	for _, slot := range slots {
		occ := journal.Occurrence{
			Campaign: sp.Spec.Name, Action: a.ID, Fence: fence, Digest: sp.Digest,
			Watermark: slot, Backfill: slot, Next: now.Add(replayEvery),
		}
		w, err := s.write(ctx, now, occ, journal.Queue(planner.Expand(sp.Spec, a, slot, jobs)))
		all.add(w)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
