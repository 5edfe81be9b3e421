package watcher

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Review reads a campaign's applications, judges the pending ones and plans a
// rating for each decision. What was planned before is planned again under the
// same identity, which does nothing. While the ratings of the run before are on
// their way it does nothing either, and the run stays on the list: to read the
// applications again that are about to leave it would take a call for each page.
func (w *Watcher) Review(ctx context.Context, r journal.Review) ([]executor.Next, error) {
	if err := w.specs.Refresh(ctx, []string{r.Campaign}); err != nil {
		return nil, err
	}
	sp := w.specs.Get(r.Campaign)
	if sp == nil || sp.State != journal.Active || sp.Action(r.Action) == nil {
		return nil, w.Journal.FinishReview(ctx, r)
	}
	wait, err := w.superseded(ctx, sp, r)
	if err != nil || wait {
		return nil, err
	}
	var asOf time.Time
	if r.ByHand {
		// The slot is cut to its second: what came within it was not seen by a
		// poll in the same second.
		asOf = r.Slot.Add(time.Second)
	}
	decisions, err := w.Decide(ctx, sp, sp.Action(r.Action), asOf)
	if err != nil {
		return nil, err
	}
	next, err := w.planRatings(ctx, r, sp.Action(r.Action), decisions)
	if err != nil {
		return nil, err
	}
	if err := w.tell(ctx, r, decisions); err != nil {
		return nil, err
	}
	return next, w.Journal.FinishReview(ctx, r)
}

// busyRatings is how many ratings may be on their way when the next run begins:
// as many as fit on one page of the list.
const busyRatings = 20

// superseded tells whether a run has nothing to do now: a younger one of the
// same action takes its place, or the ratings of the last are on their way.
func (w *Watcher) superseded(ctx context.Context, sp *journal.Spec, r journal.Review) (bool, error) {
	open, err := w.Journal.Reviews(ctx)
	if err != nil {
		return false, err
	}
	for _, o := range open {
		if o.Campaign == r.Campaign && o.Action == r.Action && o.Slot.After(r.Slot) {
			return true, w.Journal.FinishReview(ctx, r)
		}
	}
	if sp.Action(r.Action).Overlap == campaigns.OverlapAllow {
		return false, nil
	}
	busy, err := w.Journal.Busy(ctx, r.Campaign, r.Action, w.Now())
	return busy >= busyRatings, err
}

// Decide judges all pending applications of a campaign by an action's rules,
// and changes nothing. All are read before the first is judged, since rating
// moves the pages of the list. Jobs that were last looked at before asOf are
// read even if nothing new was told of them; the zero time reads none for that.
func (w *Watcher) Decide(ctx context.Context, sp *journal.Spec, a *campaigns.Action, asOf time.Time) ([]Decision, error) {
	jobs, err := w.Journal.Jobs(ctx, sp.Spec.Name)
	if err != nil {
		return nil, err
	}
	j, err := newJudge(a, sp.Items, w.Now())
	if err != nil {
		return nil, err
	}
	var list []Decision
	for _, job := range jobs {
		if job.Status == journal.JobGone || job.Applications == 0 && !job.SeenAt.Before(asOf) {
			continue
		}
		apps, known, err := w.look(ctx, job, j.history, asOf)
		if err != nil {
			return nil, err
		}
		for _, app := range apps {
			list = append(list, Decision{Application: app, Item: job.Item})
		}
		for _, answer := range known {
			j.crowd.add(job.Item, answer)
		}
	}
	for i := range list {
		j.decide(&list[i])
	}
	if err := w.markPlanned(ctx, sp.Spec.Name, a.ID, list); err != nil {
		return nil, err
	}
	holdDeclines(list, a.MaxDecline)
	return list, nil
}

// Pending lists a campaign's applications that wait for a verdict.
func (w *Watcher) Pending(ctx context.Context, campaign string) ([]Decision, error) {
	jobs, err := w.Journal.Jobs(ctx, campaign)
	if err != nil {
		return nil, err
	}
	var list []Decision
	for _, job := range jobs {
		if job.Status == journal.JobGone || job.Applications == 0 {
			continue
		}
		apps, _, err := w.look(ctx, job, false, time.Time{})
		if err != nil {
			return nil, err
		}
		for _, app := range apps {
			list = append(list, Decision{Application: app, Item: job.Item})
		}
	}
	return list, nil
}

// markPlanned finds the hand-ins that have their operation.
func (w *Watcher) markPlanned(ctx context.Context, campaign, action string, list []Decision) error {
	ids := make([]string, len(list))
	for i := range list {
		op := ratingOf(campaign, action, list[i])
		ids[i] = op.ID
	}
	held, err := w.Journal.Held(ctx, ids)
	for i := range list {
		list[i].Planned = held[ids[i]]
	}
	return err
}

// ratingOf is the operation of a decision.
func ratingOf(campaign, action string, d Decision) planner.Operation {
	return planner.OnApplication(campaign, action, d.Item, d.Application.JobID, planner.Rating{
		ApplicationID: d.Application.ID, Verdict: d.Verdict, Reason: d.Reason,
		Proof: executor.ProofDigest(d.Application), Rule: fmt.Sprintf("rule %d", d.Rule),
	}, d.Application.AppliedAt)
}

// The reasons for which a person decides instead.
const (
	tooManyDeclines = "this run would decline more than max_decline allows: look at it, then `enqueue retry` or `resolve`"
	auditSample     = "this approval is one of the audit_sample: look at it, then `enqueue retry` approves it, and " +
		"`enqueue rate --decisions` decides otherwise"
)

// planRatings writes a rating for each decision and returns the new ones.
func (w *Watcher) planRatings(ctx context.Context, r journal.Review, a *campaigns.Action, decisions []Decision) ([]executor.Next, error) {
	var rows []journal.New
	now := w.Now()
	for _, d := range decisions {
		if d.Verdict == campaigns.Leave || d.Planned {
			continue
		}
		row := journal.New{Operation: ratingOf(r.Campaign, r.Action, d), State: planner.Queued}
		switch {
		case d.Held:
			row.State, row.Error = planner.Parked, tooManyDeclines
		case d.Sampled:
			row.State, row.Error = planner.Parked, auditSample
		case d.Verdict == campaigns.Decline && a.Hold > 0:
			row.Due = now.Add(time.Duration(a.Hold))
			row.Rating.HoldUntil, row.Error = row.Due.UTC(), executor.HeldUntil(row.Due)
		}
		rows = append(rows, row)
	}
	created, err := w.Journal.Create(ctx, now, nil, rows)
	if err != nil {
		return nil, err
	}
	fresh := make(map[string]bool, len(created))
	for _, id := range created {
		fresh[id] = true
	}
	var next []executor.Next
	for _, row := range rows {
		if fresh[row.ID] && row.State == planner.Queued {
			next = append(next, executor.Next{ID: row.ID, Queue: planner.QueueRate, Due: row.Due})
		}
	}
	return next, nil
}

// tell keeps a person informed of what the rules leave to them.
func (w *Watcher) tell(ctx context.Context, r journal.Review, decisions []Decision) error {
	left, faults, first := 0, 0, Decision{}
	for _, d := range decisions {
		switch {
		case d.Fault != "":
			if faults == 0 {
				first = d
			}
			faults++
		case d.Verdict == campaigns.Leave && d.Rule > 0:
			left++
		}
	}
	name := r.Campaign + "/" + r.Action
	if err := w.alert(ctx, "left:"+name, left > 0, "the rules of %s leave %d applications to a person: "+
		"`enqueue rate %s --dry-run` lists them, `enqueue rate %s --decisions FILE.csv` decides", name, left, r.Campaign, r.Campaign); err != nil {
		return err
	}
	return w.alert(ctx, "rules:"+name, faults > 0, "the rules of %s fail on %d applications, which are left to a person; on %d: %s",
		name, faults, first.Application.ID, first.Fault)
}

// alert writes or clears an alert.
func (w *Watcher) alert(ctx context.Context, subject string, on bool, format string, args ...any) error {
	if !on {
		return w.Journal.ClearAlert(ctx, subject)
	}
	return w.Journal.Alert(ctx, w.Now(), subject, fmt.Sprintf(format, args...))
}
