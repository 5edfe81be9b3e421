package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Applied is what an apply set going.
type Applied struct {
	// Campaigns is how many the files hold.
	Campaigns int
	// Work is what to wait for.
	Work Work
}

// Apply registers the campaigns of a plan, ends those that vanished, and
// enqueues what is due. A journal that was lost is refused with a LostError
// before anything is written. Repeated, it does only what is missing.
func (o *Operator) Apply(ctx context.Context, p *Plan) (*Applied, error) {
	if err := o.checkFit(ctx, p); err != nil {
		return nil, err
	}
	adopted, err := o.readAdopted(ctx, p)
	if err != nil {
		return nil, err
	}
	now := o.Now().UTC()
	done := &Applied{Work: Work{From: now.Truncate(time.Millisecond)}}
	if err := o.register(ctx, p, now); err != nil {
		return nil, err
	}
	for _, job := range adopted {
		if err := o.Journal.Adopt(ctx, now, job); err != nil {
			return nil, err
		}
	}
	if err := o.syncTeams(ctx, p, now, &done.Work); err != nil {
		return nil, err
	}
	var due []*campaigns.Campaign
	for _, d := range p.diffs {
		if d.Spec == nil {
			continue
		}
		done.Campaigns++
		if p.due[d.Name] || d.Change == planner.ChangeChanged || d.Change == planner.ChangeNew && hasNow(d.Spec) {
			due = append(due, d.Spec)
			done.Work.add(d.Spec)
		}
	}
	addFollowing(p, &done.Work)
	err = o.fire(ctx, due)
	done.Work.until = o.Now().UTC()
	return done, err
}

// hasNow tells whether a campaign does something without waiting for a time.
func hasNow(c *campaigns.Campaign) bool {
	return slices.ContainsFunc(c.Actions, func(a campaigns.Action) bool { return a.Now })
}

// abreast is how many campaigns are registered or planned at a time: their
// scripts travel together.
const abreast = 128

// fire plans what is due of campaigns.
func (o *Operator) fire(ctx context.Context, list []*campaigns.Campaign) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(abreast)
	for _, c := range list {
		group.Go(func() error {
			if _, err := o.Scheduler.Fire(ctx, c.Name); err != nil {
				return fmt.Errorf("campaign %s is registered, and a runner goes on with it: %w", c.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// addFollowing adds campaigns that are not at work themselves and act after one
// that is.
func addFollowing(p *Plan, work *Work) {
	at := make(map[string]bool, len(work.Owners))
	for _, name := range work.Owners {
		at[name] = true
	}
	for _, d := range p.diffs {
		if d.Spec != nil && !at[d.Name] && slices.ContainsFunc(d.Spec.Actions, func(a campaigns.Action) bool {
			return a.After != nil && at[a.After.Campaign]
		}) {
			work.add(d.Spec)
		}
	}
}

// checkFit looks again for what must not have changed since the plan.
func (o *Operator) checkFit(ctx context.Context, p *Plan) error {
	if p.lost != nil {
		return p.lost
	}
	if !p.offline {
		return nil
	}
	st, err := o.readState(ctx, p.files)
	if err != nil {
		return err
	}
	if _, err := o.Account(ctx); err != nil {
		return err
	}
	lost, err := o.lost(ctx, p, st)
	if err != nil {
		return err
	}
	return lost
}

// register writes the specs that are new or changed.
func (o *Operator) register(ctx context.Context, p *Plan, now time.Time) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(abreast)
	for _, d := range p.diffs {
		switch d.Change {
		case planner.ChangeNew, planner.ChangeChanged:
			group.Go(func() error { return o.Journal.Register(ctx, now, d.Spec) })
		case planner.ChangeRemoved:
			group.Go(func() error { return o.Journal.Steer(ctx, now, d.Name, journal.Removed, "no longer in "+d.Source) })
		}
	}
	return group.Wait()
}
