package watcher

import (
	"context"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// watchDeadlines tells a person of campaigns whose oldest pending application
// has waited longer than review_within allows.
func (w *Watcher) watchDeadlines(ctx context.Context, jobs []journal.Job) error {
	byCampaign := map[string][]journal.Job{}
	names := make([]string, 0, len(jobs))
	for _, job := range jobs {
		if byCampaign[job.Campaign] == nil {
			names = append(names, job.Campaign)
		}
		byCampaign[job.Campaign] = append(byCampaign[job.Campaign], job)
	}
	if err := w.specs.Refresh(ctx, names); err != nil {
		return err
	}
	for _, name := range names {
		within := reviewWithin(w.specs.Get(name))
		if within == 0 {
			continue
		}
		if err := w.watchDeadline(ctx, name, within, byCampaign[name]); err != nil {
			return err
		}
	}
	return nil
}

// reviewWithin is the shortest of a campaign's rate actions; 0 where none has any.
func reviewWithin(sp *journal.Spec) time.Duration {
	if sp == nil || sp.State == journal.Removed {
		return 0
	}
	var least campaigns.Duration
	for i := range sp.Spec.Actions {
		if d := sp.Spec.Actions[i].ReviewWithin; d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return time.Duration(least)
}

// watchDeadline looks closer where what is noted of a job is past its time: the
// oldest may have its verdict since.
func (w *Watcher) watchDeadline(ctx context.Context, campaign string, within time.Duration, jobs []journal.Job) error {
	var oldest journal.Answer
	var first time.Time
	late := 0
	now := w.Now()
	for _, job := range jobs {
		if job.Status != journal.JobGone && job.Pending > 0 && !job.Oldest.IsZero() && (first.IsZero() || job.Oldest.Before(first)) {
			first = job.Oldest
		}
		if job.Status == journal.JobGone || job.Oldest.IsZero() || now.Sub(job.Oldest) <= within {
			continue
		}
		known, err := w.Journal.Answers(ctx, job.ID)
		if err != nil {
			return err
		}
		for _, a := range known {
			if a.Status != journal.AnswerPending || now.Sub(a.HandedIn) <= within {
				continue
			}
			late++
			if oldest.Application == 0 || a.HandedIn.Before(oldest.HandedIn) {
				oldest = a
			}
		}
	}
	if err := w.Journal.SetOldest(ctx, campaign, first); err != nil {
		return err
	}
	return w.alert(ctx, "overdue:"+campaign, late > 0,
		"%d applications of campaign %s wait for a verdict longer than review_within: %s; the oldest, %d, came on %s: "+
			"`enqueue rate %s --dry-run` lists them", late, campaign, campaigns.Duration(within), oldest.Application,
		oldest.HandedIn.UTC().Format("2006-01-02 15:04 UTC"), campaign)
}
