package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Chains plans what follows the occurrences that have ended since the last
// call. The slot of what follows is that of what it follows: looked at again
// after a crash, or by two runners, an occurrence is followed once.
func (s *Scheduler) Chains(ctx context.Context) error {
	stopped, err := s.Journal.Stopped(ctx)
	if err != nil || stopped != "" {
		return err
	}
	ended, err := s.Journal.Ended(ctx)
	if err != nil || len(ended) == 0 {
		return err
	}
	var errs []error
	for _, e := range ended {
		if err := s.follow(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("after %s/%s: %w", e.Campaign, e.Action, err))
		}
	}
	return errors.Join(errs...)
}

// follow plans what follows one occurrence, once all of it has ended.
func (s *Scheduler) follow(ctx context.Context, e journal.Ended) error {
	members, err := s.Journal.Followers(ctx, e.Campaign, e.Action)
	if err != nil {
		return err
	}
	names := []string{e.Campaign}
	for _, m := range members {
		names = append(names, m.Campaign)
	}
	if err := s.specs.Refresh(ctx, names); err != nil {
		return err
	}
	sp := s.specs.Get(e.Campaign)
	if sp == nil || sp.Action(e.Action) == nil {
		return s.Journal.Forget(ctx, e)
	}
	ops, err := s.occurrence(ctx, sp, sp.Action(e.Action), e.Slot)
	if err != nil {
		return err
	}
	outcome, over := weigh(ops)
	if over && outcome.applied > 0 {
		for _, m := range members {
			if err := s.chain(ctx, m, e, outcome); err != nil {
				return err
			}
		}
	}
	return s.Journal.Forget(ctx, e)
}

// occurrence reads the operations of an action's slot. Their ids are derived,
// so that no index of them is needed.
func (s *Scheduler) occurrence(ctx context.Context, sp *journal.Spec, a *campaigns.Action, slot time.Time) ([]*journal.Op, error) {
	var ids []string
	if a.Do == campaigns.DoCreate {
		for _, op := range planner.Expand(sp.Spec, a, slot, nil) {
			ids = append(ids, op.ID)
		}
	} else {
		jobs, err := s.Journal.Jobs(ctx, sp.Spec.Name)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			ids = append(ids, planner.OnJob(sp.Spec.Name, a.ID, planner.Kind(a.Do), j.View(), slot).ID)
		}
	}
	const chunk = 500
	var ops []*journal.Op
	for part := range slices.Chunk(ids, chunk) {
		loaded, err := s.Journal.Load(ctx, part)
		if err != nil {
			return nil, err
		}
		ops = append(ops, loaded...)
	}
	return ops, nil
}

// outcome is how an occurrence ended.
type outcome struct {
	applied int
	// items tells of each item that the occurrence was about whether it is to be
	// followed, and jobs are those that it made or acted on.
	items map[string]bool
	jobs  map[int64]bool
	// recovered tells that part of it is from a journal that was lost. What
	// followed that part may have been lost too, so it is not followed again.
	recovered bool
}

// weigh tells how an occurrence ended, or that it has not. A parked operation
// waits for a person, and what follows waits with it.
func weigh(ops []*journal.Op) (outcome, bool) {
	o := outcome{items: map[string]bool{}, jobs: map[int64]bool{}}
	for _, op := range ops {
		if !op.State.Settled() || op.State == planner.Parked {
			return o, false
		}
		carries := op.State == planner.Applied && !op.Recovered
		o.items[op.Item] = o.items[op.Item] || carries
		o.recovered = o.recovered || op.Recovered
		if carries {
			o.applied++
			o.jobs[op.JobID] = true
		}
	}
	return o, true
}

// chain plans an action that follows.
func (s *Scheduler) chain(ctx context.Context, m journal.Entry, e journal.Ended, o outcome) error {
	sp := s.specs.Get(m.Campaign)
	if sp == nil || sp.State == journal.Removed {
		return nil
	}
	a := sp.Action(m.Action)
	if a == nil || a.After == nil || *a.After != (campaigns.After{Campaign: e.Campaign, Action: e.Action}) {
		return nil
	}
	again, err := s.Journal.Chained(ctx, m.Campaign, m.Action, e.Slot)
	if err != nil {
		return err
	}
	var w work
	var rows []journal.New
	switch {
	case a.Do != campaigns.DoRate:
		if rows, err = s.following(ctx, sp, a, e, o, again || o.recovered); err != nil {
			return err
		}
	case !again:
		r := journal.Review{Campaign: m.Campaign, Action: m.Action, Slot: e.Slot}
		w.reviews = append(w.reviews, r)
		if err := s.Journal.AddReview(ctx, s.Now(), r); err != nil {
			return err
		}
	}
	created, err := s.Journal.Create(ctx, s.Now(), nil, rows)
	if err != nil {
		return err
	}
	if err := s.Journal.Chain(ctx, m.Campaign, m.Action, e.Slot); err != nil {
		return err
	}
	w.ops = fresh(rows, created)
	s.handOn(ctx, w)
	return nil
}

// following are the operations of an action that follows: for the items and
// jobs that were carried out, and for those that the occurrence was not about.
// An occurrence that gets more items later is followed for these alone, and the
// jobs of another campaign are acted on once.
func (s *Scheduler) following(ctx context.Context, sp *journal.Spec, a *campaigns.Action, e journal.Ended, o outcome, again bool) ([]journal.New, error) {
	jobs, err := s.jobs(ctx, sp.Spec.Name, a)
	if err != nil {
		return nil, err
	}
	same := sp.Spec.Name == e.Campaign
	jobs = slices.DeleteFunc(jobs, func(j planner.Job) bool {
		if same {
			return !o.jobs[j.ID]
		}
		carried, known := o.items[j.Item]
		return again || (known && !carried)
	})
	ops := planner.Expand(sp.Spec, a, e.Slot, jobs)
	if a.Do == campaigns.DoCreate {
		ops = slices.DeleteFunc(ops, func(op planner.Operation) bool {
			carried, known := o.items[op.Item]
			return (known && !carried) || (!known && o.recovered)
		})
	}
	return journal.Queue(ops), nil
}
