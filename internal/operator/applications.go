package operator

import (
	"context"
	"iter"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// Application is one application of a campaign's job.
type Application struct {
	ApplicationID int64     `json:"application_id"`
	JobID         int64     `json:"job_id"`
	Campaign      string    `json:"campaign"`
	Item          string    `json:"item"`
	Worker        int64     `json:"worker"`
	Status        string    `json:"status"`
	Reason        string    `json:"reason"`
	AppliedAt     time.Time `json:"applied_at"`
	Proof         string    `json:"proof"`
	Screenshots   []string  `json:"screenshots"`
	// Email is the worker's address, which is left out unless it is asked for.
	Email string `json:"email,omitempty"`
}

// Applications reads the applications of one campaign's jobs, or of all where
// campaign is "". They are read as they are asked for; an error is yielded last.
// The workers' addresses come along only where emails says so.
func (o *Operator) Applications(ctx context.Context, campaign string, emails bool) iter.Seq2[Application, error] {
	return func(yield func(Application, error) bool) {
		jobs, err := o.exported(ctx, campaign)
		if err != nil {
			yield(Application{}, err)
			return
		}
		for _, job := range jobs {
			for app, err := range o.Market.AllApplications(ctx, job.ID, api.AnyStatus) {
				if api.ReasonOf(err) == api.ReasonNotFound {
					break
				}
				if !yield(showApplication(job, app, emails), err) || err != nil {
					return
				}
			}
		}
	}
}

func (o *Operator) exported(ctx context.Context, campaign string) ([]journal.Job, error) {
	if campaign == "" {
		return o.Journal.AllJobs(ctx)
	}
	if _, err := o.Campaign(ctx, campaign); err != nil {
		return nil, err
	}
	return o.Journal.Jobs(ctx, campaign)
}

func showApplication(job journal.Job, app api.Application, emails bool) Application {
	shots := app.ScreenshotURLs
	if len(shots) == 0 {
		shots = app.Screenshots
	}
	if shots == nil {
		shots = []string{}
	}
	email := ""
	if emails {
		email = app.Email
	}
	return Application{
		Email:         email,
		ApplicationID: app.ID, JobID: app.JobID, Campaign: job.Campaign, Item: job.Item, Worker: app.UserID,
		Status: app.Status.String(), Reason: app.Reason, AppliedAt: app.AppliedAt.UTC(), Proof: app.Proof, Screenshots: shots,
	}
}
