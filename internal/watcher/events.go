package watcher

import (
	"context"
	"errors"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// hintsAtOnce bounds how many hinted jobs one call reads.
const hintsAtOnce = 20

// Heed reads the jobs to which something is said to have happened, each once,
// and acts on what is true of it. What is said without ground changes nothing.
func (w *Watcher) Heed(ctx context.Context) error {
	ids, err := w.Journal.Hinted(ctx, w.Now(), hintsAtOnce)
	if err != nil || len(ids) == 0 {
		return err
	}
	for _, id := range ids {
		mine, err := w.Journal.Heed(ctx, w.Now(), id)
		if err != nil {
			return err
		}
		own, err := w.Journal.Job(ctx, id)
		if !mine || errors.Is(err, journal.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		job, err := w.Market.Job(ctx, id)
		if err != nil {
			continue // polling finds what there is
		}
		news, err := w.see(ctx, w.Now(), map[int64]*journal.Job{id: own}, []api.Job{job})
		if err != nil {
			return err
		}
		if news {
			w.keepPace(true)
		}
	}
	return w.react(ctx)
}

// react plans the actions that wait for what happened. Something is taken off
// the list after that: planned again after a crash, it is the same operations.
func (w *Watcher) react(ctx context.Context) error {
	list, err := w.Journal.Happenings(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	for _, h := range list {
		if err := w.reactTo(ctx, h); err != nil {
			return err
		}
		if err := w.Journal.Heard(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) reactTo(ctx context.Context, h journal.Happening) error {
	job, err := w.Journal.Job(ctx, h.Job)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.specs.Refresh(ctx, []string{job.Campaign}); err != nil {
		return err
	}
	sp := w.specs.Get(job.Campaign)
	if sp == nil || sp.State != journal.Active {
		return nil
	}
	for i := range sp.Spec.Actions {
		if a := &sp.Spec.Actions[i]; a.On == h.Event {
			if err := w.fire(ctx, sp, a, *job, h.Slot); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Watcher) fire(ctx context.Context, sp *journal.Spec, a *campaigns.Action, job journal.Job, slot time.Time) error {
	if a.Do == campaigns.DoRate {
		r := journal.Review{Campaign: sp.Spec.Name, Action: a.ID, Slot: slot}
		return errors.Join(w.Journal.AddReview(ctx, slot, r), w.StartReview(ctx, r))
	}
	view := job.View()
	var ops []planner.Operation
	if a.Do == campaigns.DoCreate {
		for _, op := range planner.Expand(sp.Spec, a, slot, nil) {
			if op.Item == job.Item {
				ops = append(ops, op)
			}
		}
	} else {
		ops = planner.Expand(sp.Spec, a, slot, []planner.Job{view})
	}
	next, err := w.Plan(ctx, ops)
	if err != nil {
		return err
	}
	return w.Enqueue(ctx, next)
}
