package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Started is what a command set going by name.
type Started struct {
	Slot time.Time `json:"slot"`
	// Operations are the new ones; a rating run makes its own later.
	Operations []Operation `json:"operations"`
	Review     bool        `json:"review"`
	Work       Work        `json:"-"`
}

// Run carries out one occurrence of an action now, under the same budget and
// rules as any other. Its slot is now, to the second.
func (o *Operator) Run(ctx context.Context, campaign, id string) (*Started, error) {
	reg, err := o.running(ctx, campaign)
	if err != nil {
		return nil, err
	}
	a, err := action(reg.Spec, id)
	if err != nil {
		return nil, err
	}
	slot := o.Now().UTC().Truncate(time.Second)
	if a.Do == campaigns.DoRate {
		return o.review(ctx, reg, a, slot)
	}
	jobs, err := o.Journal.Jobs(ctx, campaign)
	if err != nil {
		return nil, err
	}
	ops := planner.Expand(reg.Spec, a, slot, journal.Views(jobs))
	if len(ops) == 0 {
		return nil, fmt.Errorf("%s/%s acts on no job of the campaign's %d: %w", campaign, id, len(jobs), ErrNothing)
	}
	return o.start(ctx, slot, ops)
}

// running reads a campaign that may act.
func (o *Operator) running(ctx context.Context, name string) (*journal.Registered, error) {
	reg, err := o.Campaign(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case reg.State == journal.Paused:
		return nil, fmt.Errorf("campaign %q is paused: `enqueue resume %s` lets it go on", name, name)
	case reg.State == journal.Removed:
		return nil, fmt.Errorf("campaign %q was removed: apply its file to bring it back", name)
	}
	return reg, nil
}

// start writes operations and hands them on.
func (o *Operator) start(ctx context.Context, slot time.Time, ops []planner.Operation) (*Started, error) {
	next, err := o.queue(ctx, ops)
	if err != nil {
		return nil, err
	}
	if len(next) == 0 {
		return nil, fmt.Errorf("the same was asked for a moment ago, see `enqueue op %s`: %w", ops[0].ID, ErrNothing)
	}
	return o.begun(ctx, slot, ids(next))
}

// begun shows operations that were set going.
func (o *Operator) begun(ctx context.Context, slot time.Time, all []string) (*Started, error) {
	done := &Started{Slot: slot, Work: Work{IDs: all}}
	loaded, err := o.Journal.Load(ctx, done.Work.IDs)
	if err != nil {
		return nil, err
	}
	for _, op := range loaded {
		done.Operations = append(done.Operations, showOperation(op))
	}
	return done, nil
}

// review asks for a rating run.
func (o *Operator) review(ctx context.Context, reg *journal.Registered, a *campaigns.Action, slot time.Time) (*Started, error) {
	r := journal.Review{Campaign: reg.Spec.Name, Action: a.ID, Slot: slot, ByHand: true}
	now := o.Now()
	if err := o.Journal.AddReview(ctx, now, r); err != nil {
		return nil, err
	}
	if err := o.Queue.Review(ctx, r); err != nil {
		o.Log.WarnContext(ctx, "the rating run is written and could not be enqueued; a runner will find it", "err", err)
	}
	return &Started{
		Slot: slot, Operations: []Operation{}, Review: true,
		Work: Work{Owners: []string{reg.Spec.Name}, From: now.Truncate(time.Millisecond), until: now},
	}, nil
}
