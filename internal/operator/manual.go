package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Requests by hand become operations of the campaign "manual": they are sent at
// most once, booked and audited like all others, and no budget caps them.

func (o *Operator) slot() time.Time { return o.Now().UTC().Truncate(time.Second) }

// CreateJob makes a job by hand.
func (o *Operator) CreateJob(ctx context.Context, job campaigns.Job) (*Started, error) {
	slot := o.slot()
	item := "hand-" + o.Draw()
	return o.byHand(ctx, planner.Operation{
		ID:       planner.NewID(planner.ManualCampaign, string(planner.Create), item, slot),
		Campaign: planner.ManualCampaign, Action: string(planner.Create), Item: item,
		Kind: planner.Create, Slot: slot, Seats: job.Seats, Manual: &planner.Manual{Job: &job},
	})
}

// UpdateJob changes a job by hand.
func (o *Operator) UpdateJob(ctx context.Context, job int64, set campaigns.Update) (*Started, error) {
	op := o.onJob(job, planner.Update)
	op.Manual = &planner.Manual{Update: &set}
	return o.byHand(ctx, op)
}

// ActOnJob adds seats to a job, pauses, resumes or restarts it, by hand. seats
// is 0 for kinds that buy none.
func (o *Operator) ActOnJob(ctx context.Context, job int64, kind planner.Kind, seats int) (*Started, error) {
	op := o.onJob(job, kind)
	op.Seats = seats
	return o.byHand(ctx, op)
}

// SetApplication gives an application a verdict by hand, whatever it has.
func (o *Operator) SetApplication(ctx context.Context, id int64, v campaigns.Verdict, reason string) (*Started, error) {
	if err := CheckVerdict(v, reason); err != nil || v == campaigns.Leave {
		if err == nil {
			err = fmt.Errorf("%q sets nothing: say approve, decline or redo", v)
		}
		return nil, err
	}
	app, err := o.Market.Application(ctx, id)
	if err != nil {
		return nil, err
	}
	slot := o.slot()
	return o.byHand(ctx, planner.Operation{
		ID:       planner.NewID(planner.ManualCampaign, string(planner.Rate), fmt.Sprintf("%d-%s", id, v), slot),
		Campaign: planner.ManualCampaign, Action: string(planner.Rate), Kind: planner.Rate, Slot: slot, JobID: app.JobID,
		Rating: &planner.Rating{ApplicationID: id, Verdict: v, Reason: reason, Proof: executor.ProofDigest(app), Rule: "decision"},
	})
}

func (o *Operator) onJob(job int64, kind planner.Kind) planner.Operation {
	return planner.OnJob(planner.ManualCampaign, string(kind), kind, planner.Job{ID: job}, o.slot())
}

func (o *Operator) byHand(ctx context.Context, op planner.Operation) (*Started, error) {
	if _, err := o.Account(ctx); err != nil {
		return nil, err
	}
	op.Because = "asked for by hand"
	return o.start(ctx, op.Slot, []planner.Operation{op})
}
