package executor

import (
	"context"
	"errors"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
)

// QuoteSeats is what more seats of an existing job would cost, in USD.
func (e *Executor) QuoteSeats(ctx context.Context, job api.Job, seats int) (money.USD, error) {
	cost, _, err := e.seatCost(ctx, job, seats)
	return cost, err
}

// QuoteSeatsAhead is QuoteSeats for a job that may not exist yet. It asks by
// the same shape as the purchase will, so that the answer is used again.
func (e *Executor) QuoteSeatsAhead(ctx context.Context, job api.NewJob, seats int) (money.USD, error) {
	job.Seats, job.Automated, job.SendTweet, job.HideSearchEngines, job.Limit = seats, false, false, false, nil
	if job.TeamID != 0 {
		job.TeamID, job.International = 0, true
	}
	if cost, known, err := e.Journal.Quote(ctx, "seats:"+Shape(job)); err != nil || known {
		return cost, err
	}
	return e.Quote(ctx, job)
}

// Unfit is the reason why a job cannot be quoted or sent as it is; false for
// errors that say nothing of the job itself.
func Unfit(err error) (string, bool) {
	var h *halt
	var l *later
	if errors.As(err, &h) || errors.As(err, &l) {
		return err.Error(), true
	}
	var refused *api.Error
	if !errors.As(err, &refused) {
		return "", false
	}
	switch refused.Reason {
	case api.ReasonInvalid, api.ReasonRefused, api.ReasonFailed:
		return err.Error(), true
	}
	return "", false
}

// MarkerOf finds the marker of a job as it was read, or "".
func MarkerOf(job api.Job) string { return markerOf(job) }
