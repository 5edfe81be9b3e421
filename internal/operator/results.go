package operator

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// Result is an approved answer, beside the item that it answers.
type Result struct {
	Application
	// Columns are the fields of the item by name; empty where the spec does not
	// hold the item any more.
	Columns map[string]string `json:"columns"`
}

// Results reads the approved answers of a campaign, and names the columns of
// its items. Answers are read as they are asked for; an error is yielded last.
// Where pictures says so, the addresses of screenshots are read one application
// at a time if a list leaves them out.
func (o *Operator) Results(ctx context.Context, campaign string, emails, pictures bool) ([]string, iter.Seq2[Result, error], error) {
	reg, err := o.Campaign(ctx, campaign)
	if err != nil {
		return nil, nil, err
	}
	jobs, err := o.Journal.Jobs(ctx, campaign)
	if err != nil {
		return nil, nil, err
	}
	items := make(map[string]map[string]string, len(reg.Spec.Items))
	columns := map[string]bool{}
	for _, item := range reg.Spec.Items {
		items[item.Key] = item.Fields
		for name := range item.Fields {
			columns[name] = true
		}
	}
	return slices.Sorted(maps.Keys(columns)), func(yield func(Result, error) bool) {
		for _, job := range jobs {
			fields := items[job.Item]
			if fields == nil {
				fields = map[string]string{}
			}
			for app, err := range o.approved(ctx, job, pictures) {
				if !yield(Result{showApplication(job, app, emails), fields}, err) || err != nil {
					return
				}
			}
		}
	}, nil
}

// approved reads the approved applications of a job; one that was deleted has none.
func (o *Operator) approved(ctx context.Context, job journal.Job, pictures bool) iter.Seq2[api.Application, error] {
	return func(yield func(api.Application, error) bool) {
		for app, err := range o.Market.AllApplications(ctx, job.ID, api.Approved) {
			if api.ReasonOf(err) == api.ReasonNotFound {
				return
			}
			if err == nil && pictures && len(app.Screenshots) > 0 && len(app.ScreenshotURLs) == 0 {
				app, err = o.Market.Application(ctx, app.ID)
			}
			if !yield(app, err) || err != nil {
				return
			}
		}
	}
}
