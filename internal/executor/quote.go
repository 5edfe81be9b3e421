package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

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
	// jobID is not 0 where the marketplace ignored get_cost and made a job; question
	// is then the token by which it was asked, and asked the time.
	jobID    int64
	question string
	asked    time.Time
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
// question is asked for, and token the leave to ask that it has already; both
// are "" where there is none.
func (q *quoter) quote(ctx context.Context, op, token string, job api.NewJob) (quoted, error) {
	if kept, ok := q.accidents.Load(markerOfNew(job)); ok {
		got, _ := kept.(quoted)
		return got, nil
	}
	shape := Shape(job)
	cost, known, err := q.e.Journal.Quote(ctx, shape)
	if err != nil || known {
		return quoted{cost: cost}, errors.Join(err, q.answered(ctx, op, token, false))
	}
	if op == "" {
		// What a question makes for no create is bought for nothing.
		if err := q.mayAsk(ctx); err != nil {
			return quoted{}, err
		}
	}
	mine := false
	v, err, _ := q.flight.Do(shape, func() (any, error) {
		// Another flight may have landed since the look above.
		cost, known, err := q.e.Journal.Quote(ctx, shape)
		if err != nil || known {
			return quoted{cost: cost}, err
		}
		mine = true
		return q.ask(ctx, op, token, shape, job)
	})
	if !mine {
		err = errors.Join(err, q.answered(ctx, op, token, false)) // it was not asked for this one
	}
	if err != nil {
		return quoted{}, err
	}
	got, _ := v.(quoted)
	if !mine {
		got.jobID, got.question = 0, ""
	}
	return got, nil
}

func (q *quoter) ask(ctx context.Context, op, token, shape string, job api.NewJob) (quoted, error) {
	if err := q.e.Wait(ctx); err != nil {
		return quoted{}, err
	}
	now := q.e.Now()
	if op == "" {
		job = withMarker(job, planner.QuestionMarker(now))
	} else if token == "" {
		var err error
		if token, err = q.leave(ctx, op, 0); err != nil {
			return quoted{}, err
		}
	}
	done := false
	defer func() {
		if !done { // a defect: somebody else looks what became of it
			_ = q.answered(ctx, op, token, true)
		}
	}()
	ans, err := q.e.Market.Quote(api.SendBefore(api.WithPermit(ctx), now.Add(q.e.SendWithin)), job)
	done = true
	if err != nil || ans.JobID == 0 {
		lost := err != nil && api.EffectOf(err) == api.EffectUnknown
		err = errors.Join(err, q.answered(ctx, op, token, lost))
	}
	if err != nil {
		return quoted{}, err
	}
	q.e.recovered(ctx, q.e.reads)
	got := quoted{cost: ans.Cost, jobID: ans.JobID, question: token, asked: now}
	if ans.JobID != 0 {
		q.e.Log.ErrorContext(ctx, "a quote made a job: get_cost was ignored", "job", ans.JobID, "cost", ans.Cost)
		if op != "" {
			q.accidents.Store(markerOfNew(job), got)
		}
	}
	if err := q.note(ctx, now, ans); err != nil {
		return quoted{}, err
	}
	return got, q.e.Journal.KeepQuote(ctx, shape, ans.Cost)
}

// factBuying is the name under which the journal remembers when the marketplace
// ignored get_cost the last time; "" once it heeds it again.
const factBuying = "get_cost:ignored"

// askAgain is how long after a question made a job no other is asked but for a
// create, which its job would be: enough that a marketplace which makes jobs of
// all of them costs no more than the fees of one a day.
const askAgain = 24 * time.Hour

// note keeps whether the marketplace heeds get_cost.
func (q *quoter) note(ctx context.Context, now time.Time, ans api.Quote) error {
	if ans.JobID == 0 {
		was, err := q.e.Journal.Recall(ctx, factBuying)
		if err != nil || was == "" {
			return err
		}
		return errors.Join(q.e.Journal.Remember(ctx, factBuying, ""), q.e.Journal.ClearAlert(ctx, alertGetCost))
	}
	return errors.Join(q.e.Journal.Remember(ctx, factBuying, now.UTC().Format(time.RFC3339)),
		q.e.Journal.Alert(ctx, now, alertGetCost, fmt.Sprintf(
			"the marketplace ignored get_cost and made job %d for %s USD: but for creates, no price is asked for a day", ans.JobID, ans.Cost)))
}

// alertGetCost is the subject of the alert on a marketplace that ignores get_cost.
const alertGetCost = "get_cost"

// mayAsk refuses a question that would buy.
func (q *quoter) mayAsk(ctx context.Context) error {
	was, err := q.e.Journal.Recall(ctx, factBuying)
	if err != nil || was == "" {
		return err
	}
	at, err := time.Parse(time.RFC3339, was)
	if err != nil {
		return fmt.Errorf("when the marketplace ignored get_cost: %w", err)
	}
	if q.e.Now().Sub(at) >= askAgain {
		return nil
	}
	return reject("its price is not known, and the marketplace makes jobs of questions: one did at %s, and the next is asked at %s",
		was, at.Add(askAgain).Format(time.RFC3339))
}

// leave takes the leave to ask a create's price, and returns the token by which it
// has it: see Journal.Asking. It puts the create off while another one asks.
func (q *quoter) leave(ctx context.Context, op string, after time.Duration) (string, error) {
	token := q.e.Draw()
	ok, err := q.e.Journal.Asking(context.WithoutCancel(ctx), op, token, after)
	if err == nil && !ok {
		err = &later{after: firstBackoff + q.e.Jitter(firstBackoff)}
	}
	return token, err
}

// answered gives that leave back; lost tells that nobody knows the answer.
func (q *quoter) answered(ctx context.Context, op, token string, lost bool) error {
	if op == "" || token == "" {
		return nil
	}
	return q.e.Journal.Answered(context.WithoutCancel(ctx), op, token, lost)
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
	if c.accident == nil || gate == journal.Frozen || gate == journal.Lost || gate == journal.Asked {
		return
	}
	steady := context.WithoutCancel(ctx)
	if ops, err := e.Journal.Load(steady, []string{op.ID}); err == nil && len(ops) > 0 && claims(ops[0], op, c.accident.jobID) {
		return
	}
	err := e.undoQuote(steady, c.job, *c.accident)
	var done *halt
	// What could not be paused is looked for before the create is made again.
	err = errors.Join(err, e.quotes.answered(steady, op.ID, c.question(), !errors.As(err, &done)))
	if aerr := e.Journal.Alert(steady, e.Now(), fmt.Sprintf("job:%d", c.accident.jobID),
		fmt.Sprintf("operation %s: %v", op.ID, err)); aerr != nil {
		e.Log.ErrorContext(ctx, "a job made by a quote", "job", c.accident.jobID, "err", err)
	}
}

// claims tells whether an operation, as it is now, has a job that its question
// made, or may find it; was is how it was when the question was asked.
func claims(now, was *journal.Op, job int64) bool {
	switch now.State {
	case planner.Queued:
		return now.Attempts != was.Attempts
	case planner.Applied:
		return now.JobID == job
	case planner.Sending, planner.Unknown, planner.Parked:
		return true
	}
	return false
}

// Quote is the cost of a job in USD, asked for at most once a shape. It is for
// plans: no operation stands behind it, so a job that is made by accident is
// paused at once.
func (e *Executor) Quote(ctx context.Context, job api.NewJob) (money.USD, error) {
	got, err := e.quotes.quote(ctx, "", "", job)
	if err != nil || got.jobID == 0 {
		return got.cost, err
	}
	return 0, e.undoQuote(ctx, job, got)
}

// undoQuote takes back a job that a quote made.
func (e *Executor) undoQuote(ctx context.Context, job api.NewJob, got quoted) error {
	err := e.TakeBack(ctx, Accident{
		JobID: got.jobID, Title: job.Title, Seats: job.Seats, Price: job.Price, Cost: got.cost, Asked: got.asked,
	})
	if err != nil {
		return err
	}
	return reject("the marketplace ignored get_cost and made job %d; it was paused, so that its money comes back", got.jobID)
}

// Accident is a job that the marketplace made of a question for a price.
type Accident struct {
	JobID int64
	Title string
	Seats int
	// Price is of one seat, Cost of the job, in USD; a Cost of 0 is not known, and
	// not booked.
	Price, Cost money.USD
	// Asked is when the question was asked.
	Asked time.Time
}

// TakeBack pauses a job that a question made, and books it under the campaign
// manual, so that nobody takes it for the job of a create. What came back of its
// cost the balance tells. Repeated, it changes nothing more.
func (e *Executor) TakeBack(ctx context.Context, a Accident) error {
	if err := e.Wait(ctx); err != nil {
		return err
	}
	if err := e.Market.PauseJob(api.WithPermit(ctx), a.JobID); err != nil {
		return fmt.Errorf("a quote made job %d, and it could not be paused; pause it on the website: %w", a.JobID, err)
	}
	slot, item := a.Asked.UTC().Truncate(time.Second), fmt.Sprintf("quote-%d", a.JobID)
	_, err := e.Journal.Recover(ctx, e.Now(), journal.Recovered{
		Op: planner.Operation{
			ID:       planner.NewID(planner.ManualCampaign, planner.ActionAdopt, item, slot),
			Campaign: planner.ManualCampaign, Action: planner.ActionAdopt, Item: item, Kind: planner.Create, Slot: slot, Seats: a.Seats,
			Because: "a question for a price made this job",
		},
		Job:  journal.Job{ID: a.JobID, Item: item, Slot: slot, Status: journal.JobFinished, Price: a.Price, Title: a.Title},
		Cost: a.Cost, Back: a.Cost, At: a.Asked, Limits: journal.Unlimited(planner.ManualCampaign),
	})
	return err
}
