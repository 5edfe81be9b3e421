package executor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// prepareUpdate renders the change. New steps keep the job's marker line.
func prepareUpdate(ctx context.Context, e *Executor, op *journal.Op, sp *journal.Spec) (*call, error) {
	change, err := jobChange(ctx, e, op, sp)
	if err != nil {
		return nil, err
	}
	return &call{send: func(ctx context.Context) (effect, error) {
		return effect{jobID: op.JobID}, e.Market.UpdateJob(ctx, op.JobID, change)
	}}, nil
}

func jobChange(ctx context.Context, e *Executor, op *journal.Op, sp *journal.Spec) (api.JobChange, error) {
	set, err := renderedUpdate(op, sp)
	if err != nil {
		return api.JobChange{}, err
	}
	change := api.JobChange{Title: set.Title, Minutes: set.Minutes, Steps: set.Steps, Proof: proofs(set.Proof), Limit: limit(set.Limit)}
	if set.RestartEvery != nil {
		every := time.Duration(*set.RestartEvery)
		change.RestartEvery = &every
	}
	if len(change.Steps) == 0 && change.Title == nil {
		return change, nil
	}
	job, err := e.ownJob(ctx, op)
	if err != nil {
		return change, err
	}
	keepMarker(&change, job)
	return change, nil
}

// keepMarker adds the marker that a job carries to the text that replaces its.
func keepMarker(change *api.JobChange, job api.Job) {
	if m := planner.FindMarker(job.Steps); m != "" && len(change.Steps) > 0 {
		change.Steps = append(slices.Clone(change.Steps), m)
	}
	if m := planner.FindMarker([]string{job.Title}); m != "" && change.Title != nil {
		title := *change.Title + " " + m
		change.Title = &title
	}
}

func renderedUpdate(op *journal.Op, sp *journal.Spec) (campaigns.Update, error) {
	if op.Manual != nil && op.Manual.Update != nil {
		return *op.Manual.Update, nil
	}
	var a *campaigns.Action
	if sp != nil {
		a = sp.Action(op.Action)
	}
	if a == nil || a.Set == nil {
		return campaigns.Update{}, &halt{to: planner.Canceled, reason: fmt.Sprintf("action %q is no longer in the campaign", op.Action)}
	}
	item, ok := sp.Items[op.Item]
	if !ok {
		item = campaigns.Item{Key: op.Item}
	}
	set, err := a.Set.Render(item)
	if err != nil {
		return set, reject("%v", err)
	}
	return set, nil
}

// verifyUpdate compares what can be read back. An update sets fields, so one
// that is not found is sent again.
func verifyUpdate(ctx context.Context, e *Executor, op *journal.Op, _ evidence) (verdict, error) {
	change, err := jobChange(ctx, e, op, e.specs.Get(op.Campaign))
	if err != nil {
		return verdict{}, err
	}
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return verdict{}, err
	}
	if change.Limit != nil || change.RestartEvery != nil {
		return verdict{finding: notDone, shot: shoot(job), why: "the limit and the restart schedule can't be read back"}, nil
	}
	if showsChange(job, change) {
		return verdict{finding: done, shot: shoot(job), why: "the job shows the change", eff: effect{jobID: op.JobID}}, nil
	}
	return verdict{finding: notDone, shot: shoot(job), why: "the job does not show the change"}, nil
}

func showsChange(job api.Job, c api.JobChange) bool {
	return (c.Title == nil || *c.Title == job.Title) &&
		(c.Minutes == nil || *c.Minutes == job.Minutes) &&
		(len(c.Steps) == 0 || slices.Equal(c.Steps, job.Steps)) &&
		(len(c.Proof) == 0 || slices.Equal(c.Proof, job.Proof))
}

func proofs(in []campaigns.Proof) []api.Proof {
	if len(in) == 0 {
		return nil
	}
	out := make([]api.Proof, len(in))
	for i, p := range in {
		out[i] = api.Proof{Desc: p.Text, Type: p.Type}
	}
	return out
}

func limit(l *campaigns.Limit) *api.JobLimit {
	if l == nil {
		return nil
	}
	unit := api.Hourly
	if l.Per == "day" {
		unit = api.Daily
	}
	return &api.JobLimit{Limit: l.Count, Duration: unit}
}
