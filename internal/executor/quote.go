package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// quoter asks the marketplace what jobs cost, once for each shape of price.
type quoter struct {
	e      *Executor
	flight singleflight.Group
	// accidents are jobs that quotes made, by marker, until they are booked.
	accidents sync.Map
}

func newQuoter(e *Executor) *quoter { return &quoter{e: e} }

// quoted is what a quote brought.
type quoted struct {
	cost money.USD
	// jobID is not 0 where the marketplace ignored get_cost and made a job.
	jobID int64
}

// Shape is a digest of what prices a job: everything but its words.
func Shape(job api.NewJob) string {
	countries := slices.Clone(job.CountryIDs)
	slices.Sort(countries)
	sum := sha256.Sum256(fmt.Appendf(nil, "%d|%d|%d|%v|%v|%t|%t|%t|%t",
		job.Price, job.Seats, job.CategoryID, job.International, countries,
		job.TeamID != 0, job.Automated, job.SendTweet, job.HideSearchEngines))
	return hex.EncodeToString(sum[:8])
}

// quote returns a kept quote or asks for one. Only the caller whose request
// was sent sees a job that it made by accident. op is the create that the
// question is asked for; "" where none is.
func (q *quoter) quote(ctx context.Context, op string, job api.NewJob) (quoted, error) {
	if kept, ok := q.accidents.Load(markerOfNew(job)); ok {
		got, _ := kept.(quoted)
		return got, nil
	}
	shape := Shape(job)
	cost, known, err := q.e.Journal.Quote(ctx, shape)
	if err != nil || known {
		return quoted{cost: cost}, err
	}
	mine := false
	v, err, _ := q.flight.Do(shape, func() (any, error) {
		// Another flight may have landed since the look above.
		cost, known, err := q.e.Journal.Quote(ctx, shape)
		if err != nil || known {
			return quoted{cost: cost}, err
		}
		mine = true
		return q.ask(ctx, op, shape, job)
	})
	if err != nil {
		return quoted{}, err
	}
	got, _ := v.(quoted)
	if !mine {
		got.jobID = 0
	}
	return got, nil
}

func (q *quoter) ask(ctx context.Context, op, shape string, job api.NewJob) (quoted, error) {
	if err := q.e.Wait(ctx); err != nil {
		return quoted{}, err
	}
	if err := q.asking(ctx, op, true); err != nil {
		return quoted{}, err
	}
	now := q.e.Now()
	ans, err := q.e.Market.Quote(api.SendBefore(api.WithPermit(ctx), now.Add(q.e.SendWithin)), job)
	if err == nil && ans.JobID == 0 || err != nil && api.EffectOf(err) != api.EffectUnknown {
		err = errors.Join(err, q.asking(ctx, op, false))
	}
	if err != nil {
		return quoted{}, err
	}
	q.e.recovered(ctx, q.e.reads)
	if ans.JobID != 0 {
		q.e.Log.ErrorContext(ctx, "a quote made a job: get_cost was ignored", "job", ans.JobID, "cost", ans.Cost)
		if marker := markerOfNew(job); marker != "" {
			q.accidents.Store(marker, quoted{cost: ans.Cost, jobID: ans.JobID})
		}
		err = q.e.Journal.Alert(ctx, now, "get_cost", fmt.Sprintf(
			"the marketplace ignored get_cost and made job %d for %s USD: prices can no longer be asked without buying", ans.JobID, ans.Cost))
		if err != nil {
			return quoted{}, err
		}
	}
	return quoted{cost: ans.Cost, jobID: ans.JobID}, q.e.Journal.KeepQuote(ctx, shape, ans.Cost)
}

// asking notes on a create that its price is being asked for: see Journal.Asking.
func (q *quoter) asking(ctx context.Context, op string, on bool) error {
	if op == "" {
		return nil
	}
	return q.e.Journal.Asking(context.WithoutCancel(ctx), op, on)
}

// forget drops a job that a quote made, once it is booked or taken back.
func (q *quoter) forget(marker string) { q.accidents.Delete(marker) }

func markerOfNew(job api.NewJob) string {
	return markerOf(api.Job{Title: job.Title, Steps: job.Steps})
}

// takeBack pauses a job that a quote made for an operation that may not buy it.
// Where another worker has the operation in hand, the job is the one that it
// books or finds; and while nothing may be sent, the job is found again later.
func (e *Executor) takeBack(ctx context.Context, op *journal.Op, c *call, gate journal.Gate) {
	if c.accident == 0 || gate == journal.NotQueued || gate == journal.Frozen || gate == journal.Lost {
		return
	}
	steady := context.WithoutCancel(ctx)
	if ops, err := e.Journal.Load(steady, []string{op.ID}); err == nil && len(ops) > 0 &&
		(ops[0].State != op.State || ops[0].Attempts != op.Attempts) {
		return
	}
	err := e.undoQuote(steady, c.accident)
	err = errors.Join(err, e.quotes.asking(steady, op.ID, false))
	if aerr := e.Journal.Alert(steady, e.Now(), fmt.Sprintf("job:%d", c.accident),
		fmt.Sprintf("operation %s: %v", op.ID, err)); aerr != nil {
		e.Log.ErrorContext(ctx, "a job made by a quote", "job", c.accident, "err", err)
	}
}

// Quote is the cost of a job in USD, asked for at most once a shape. It is for
// plans: no operation stands behind it, so a job that is made by accident is
// paused at once.
func (e *Executor) Quote(ctx context.Context, job api.NewJob) (money.USD, error) {
	got, err := e.quotes.quote(ctx, "", job)
	if err != nil || got.jobID == 0 {
		return got.cost, err
	}
	return 0, e.undoQuote(ctx, got.jobID)
}

// undoQuote pauses a job that a quote made.
func (e *Executor) undoQuote(ctx context.Context, job int64) error {
	if err := e.Wait(ctx); err != nil {
		return err
	}
	if err := e.Market.PauseJob(api.WithPermit(ctx), job); err != nil {
		return fmt.Errorf("a quote made job %d, and it could not be paused; pause it on the website: %w", job, err)
	}
	// Nobody takes it for the job of its create any more.
	if err := e.Journal.Adopt(ctx, e.Now(), journal.Job{
		ID: job, Campaign: planner.ManualCampaign, Item: fmt.Sprintf("quote-%d", job), Status: journal.JobFinished,
	}); err != nil {
		return err
	}
	return reject("the marketplace ignored get_cost and made job %d; it was paused, and its money came back", job)
}
