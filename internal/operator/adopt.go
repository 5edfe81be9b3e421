package operator

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// checkAdopted warns of jobs that cannot be adopted.
func (o *Operator) checkAdopted(ctx context.Context, p *Plan) error {
	_, err := o.readAdopted(ctx, p)
	var unfit *adoptError
	if errors.As(err, &unfit) {
		p.warn("%v", err)
		return nil
	}
	return err
}

// adoptError tells of a job that cannot be adopted.
type adoptError struct {
	campaign string
	job      int64
	why      string
}

func (e *adoptError) Error() string {
	return fmt.Sprintf("campaign %s cannot adopt job %d: %s", e.campaign, e.job, e.why)
}

// readAdopted reads the jobs that a plan's campaigns take over and do not own
// yet.
func (o *Operator) readAdopted(ctx context.Context, p *Plan) ([]journal.Job, error) {
	var out []journal.Job
	taken := map[int64]string{}
	for _, d := range p.diffs {
		if d.Spec == nil {
			continue
		}
		for _, id := range d.Spec.Adopt {
			if other := taken[id]; other != "" {
				return nil, &adoptError{d.Name, id, "campaign " + other + " adopts it too"}
			}
			taken[id] = d.Name
			job, err := o.readToAdopt(ctx, d.Name, id)
			if err != nil {
				return nil, err
			}
			if job != nil {
				out = append(out, *job)
			}
		}
	}
	return out, nil
}

// readToAdopt reads one job; nil where the campaign owns it already.
func (o *Operator) readToAdopt(ctx context.Context, campaign string, id int64) (*journal.Job, error) {
	own, err := o.Journal.Job(ctx, id)
	if err == nil && own.Campaign == campaign {
		return nil, nil
	}
	if err == nil {
		return nil, &adoptError{campaign, id, "it belongs to campaign " + own.Campaign}
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return nil, err
	}
	job, err := o.Market.Job(ctx, id)
	if api.ReasonOf(err) == api.ReasonNotFound {
		return nil, &adoptError{campaign, id, "the marketplace does not know it"}
	}
	if err != nil {
		return nil, err
	}
	seats, err := o.seats(ctx, job)
	if err != nil {
		return nil, err
	}
	return &journal.Job{
		ID: id, Campaign: campaign, Item: strconv.FormatInt(id, 10), Status: statusOf(job.Status),
		Seats: seats, Price: job.Price, Applications: job.Applications, Title: job.Title,
	}, nil
}

// seats is how many seats a job has had, by what the marketplace's number is
// known to count.
func (o *Operator) seats(ctx context.Context, job api.Job) (int, error) {
	fact, err := o.Journal.Recall(ctx, executor.FactSeats)
	if err != nil {
		return 0, err
	}
	if executor.SeatsMean(fact) == executor.SeatsAreLeft {
		return job.Seats + job.Applications, nil
	}
	return max(job.Seats, job.Applications), nil
}

func statusOf(s api.JobStatus) journal.JobStatus {
	switch s {
	case api.JobOnline:
		return journal.JobOnline
	case api.JobFinished:
		return journal.JobFinished
	}
	return journal.JobWaiting
}
