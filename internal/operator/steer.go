package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Steered is what a pause, a stop or a resume did.
type Steered struct {
	// Campaigns are those that it was about.
	Campaigns []string `json:"campaigns"`
	// Pausing is how many jobs are being paused.
	Pausing int `json:"pausing"`
	// Released is how many operations go on that were held.
	Released int `json:"released"`
	// Opened are the budgets whose latch was opened.
	Opened []string `json:"opened"`
	// Offline is how many jobs of the campaigns stay finished: to buy seats for
	// them anew is a decision of its own.
	Offline int `json:"offline"`
	// Preview is what runs at once in a campaign that goes on; nil in a pause.
	*Preview
	// Work are the pauses, to wait for.
	Work Work `json:"-"`
}

// Pause holds a campaign: nothing of it is planned or sent. Unless keepJobs is
// set its jobs are paused too, which refunds their open seats.
func (o *Operator) Pause(ctx context.Context, name, reason string, keepJobs bool) (*Steered, error) {
	reg, err := o.Campaign(ctx, name)
	if err != nil {
		return nil, err
	}
	if reg.State == journal.Removed {
		return nil, fmt.Errorf("campaign %q was removed: apply its file to bring it back", name)
	}
	now := o.Now().UTC()
	if err := o.Journal.Steer(ctx, now, name, journal.Paused, reason); err != nil {
		return nil, err
	}
	done := &Steered{Campaigns: []string{name}, Opened: []string{}}
	if keepJobs {
		return done, nil
	}
	return done, o.pauseJobs(ctx, done, name, now, because(reason, "a person paused the campaign"))
}

func because(reason, otherwise string) string {
	if reason == "" {
		return otherwise
	}
	return reason
}

func (o *Operator) pauseJobs(ctx context.Context, done *Steered, campaign string, slot time.Time, why string) error {
	jobs, err := o.Journal.Jobs(ctx, campaign)
	if err != nil {
		return err
	}
	next, err := o.queue(ctx, planner.PauseAll(campaign, planner.ActionOperator, journal.Views(jobs), slot, why))
	if err != nil {
		return err
	}
	done.Pausing += len(next)
	done.Work.IDs = append(done.Work.IDs, ids(next)...)
	return nil
}

func ids(next []executor.Next) []string {
	out := make([]string, len(next))
	for i, n := range next {
		out[i] = n.ID
	}
	return out
}

// StopAll holds everything and pauses every job of every campaign.
func (o *Operator) StopAll(ctx context.Context, reason string) (*Steered, error) {
	reason = because(reason, "a person stopped everything")
	if err := o.Journal.Stop(ctx, reason); err != nil {
		return nil, err
	}
	names, err := o.Journal.CampaignNames(ctx)
	if err != nil {
		return nil, err
	}
	names = append(names, planner.ManualCampaign)
	done := &Steered{Campaigns: names, Opened: []string{}}
	now := o.Now().UTC()
	for _, name := range names {
		if err := o.pauseJobs(ctx, done, name, now, reason); err != nil {
			return done, err
		}
	}
	return done, nil
}

// ResumeAll lifts a stop. Campaigns that were paused each for itself stay so.
func (o *Operator) ResumeAll(ctx context.Context) (*Steered, error) {
	if err := o.Journal.Stop(ctx, ""); err != nil {
		return nil, err
	}
	done := &Steered{Campaigns: []string{}, Opened: []string{}}
	regs, err := o.registered(ctx)
	if err != nil {
		return nil, err
	}
	for _, reg := range regs {
		if reg.State == journal.Active {
			done.Campaigns = append(done.Campaigns, reg.Spec.Name)
		}
	}
	for _, name := range append(done.Campaigns, planner.ManualCampaign) {
		if err := o.release(ctx, done, name); err != nil {
			return done, err
		}
	}
	return done, nil
}

// Resume lets a campaign go on: it opens the latches of its budgets and
// releases what was held. It buys no seats for jobs that were paused.
func (o *Operator) Resume(ctx context.Context, name string) (*Steered, error) {
	reg, err := o.Campaign(ctx, name)
	if err != nil {
		return nil, err
	}
	if reg.State == journal.Removed {
		return nil, fmt.Errorf("campaign %q was removed: apply its file to bring it back", name)
	}
	done := &Steered{Campaigns: []string{name}, Opened: []string{}}
	if err := o.unlatch(ctx, done, reg.Spec); err != nil {
		return nil, err
	}
	if err := o.Journal.Steer(ctx, o.Now().UTC(), name, journal.Active, ""); err != nil {
		return nil, err
	}
	return done, o.release(ctx, done, name)
}

func (o *Operator) unlatch(ctx context.Context, done *Steered, c *campaigns.Campaign) error {
	for _, l := range journal.Limits(c, o.Now()) {
		was, err := o.Journal.Unlatch(ctx, l.Scope)
		if err != nil {
			return err
		}
		if was {
			done.Opened = append(done.Opened, budgetName(l.Scope+" "+l.Window))
		}
	}
	return nil
}

// release puts held operations back in line, and counts the jobs that stay off.
func (o *Operator) release(ctx context.Context, done *Steered, name string) error {
	released, err := o.Journal.Release(ctx, o.Now().UTC(), name)
	if err != nil {
		return err
	}
	done.Released += len(released)
	if err := o.enqueueIDs(ctx, released); err != nil {
		return err
	}
	jobs, err := o.Journal.Jobs(ctx, name)
	for _, j := range jobs {
		if j.Status == journal.JobFinished {
			done.Offline++
		}
	}
	return err
}

// enqueueIDs hands operations on that are in the journal already.
func (o *Operator) enqueueIDs(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	ops, err := o.Journal.Load(ctx, ids)
	if err != nil {
		return err
	}
	next := make([]executor.Next, len(ops))
	for i, op := range ops {
		next[i] = executor.Next{ID: op.ID, Queue: op.Queue()}
	}
	o.handOn(ctx, next)
	return nil
}
