package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Retry puts an operation back in line that was rejected, skipped or canceled,
// or parked without ever having been sent.
func (o *Operator) Retry(ctx context.Context, id string) (*Started, error) {
	op, err := o.get(ctx, id)
	if err != nil {
		return nil, err
	}
	err = o.Journal.Retry(ctx, o.Now().UTC(), id, "a person asked to try again")
	var conflict *journal.ErrConflict
	if errors.As(err, &conflict) {
		if conflict.State == planner.Parked {
			return nil, fmt.Errorf("operation %s was sent, and may have been done: look at the marketplace, then say "+
				"`enqueue resolve --applied` or `enqueue resolve --not-applied --retry`", id)
		}
		return nil, fmt.Errorf("operation %s is %s: only what was rejected, skipped, canceled or parked can be tried again", id, conflict.State)
	}
	if err != nil {
		return nil, err
	}
	return o.again(ctx, op)
}

// again hands one operation on and shows it.
func (o *Operator) again(ctx context.Context, op *journal.Op) (*Started, error) {
	if err := o.enqueueIDs(ctx, []string{op.ID}); err != nil {
		return nil, err
	}
	return o.shown(ctx, op)
}

func (o *Operator) shown(ctx context.Context, op *journal.Op) (*Started, error) {
	now, err := o.get(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	return &Started{Slot: op.Slot, Operations: []Operation{showOperation(now)}, Work: Work{IDs: []string{op.ID}}}, nil
}

// Word is what a person says of an operation in doubt.
type Word struct {
	Applied bool
	// JobID is the job that a create made.
	JobID int64
	// Cost is what was charged in USD; nil: what is reserved.
	Cost *money.USD
	// Retry puts an operation that was not applied back in line.
	Retry bool
}

// Resolve takes a person's word on an operation that is parked or unknown.
func (o *Operator) Resolve(ctx context.Context, id string, w Word) (*Started, error) {
	op, err := o.get(ctx, id)
	if err != nil {
		return nil, err
	}
	if held(op) && !w.Applied {
		return o.drop(ctx, op, w)
	}
	if op.State != planner.Parked && op.State != planner.Unknown {
		return nil, fmt.Errorf("operation %s is %s: only what is parked or unknown needs a person's word", id, op.State)
	}
	if op.Damage != nil && w.Applied {
		return nil, fmt.Errorf("operation %s: %w; only --not-applied can be said of it", id, op.Damage)
	}
	s := journal.Settlement{
		Op: op, From: op.State, Stamp: o.Draw(), To: planner.Rejected, Now: o.Now().UTC(), JobID: op.JobID,
		Error: "a person says that it was not done",
	}
	if w.Applied {
		if err := o.applied(ctx, op, w, &s); err != nil {
			return nil, err
		}
	}
	if _, err := o.Journal.Settle(ctx, s); err != nil {
		return nil, err
	}
	// The charge may have closed a budget.
	next, err := o.Executor.EnforceLatches(ctx)
	if err != nil {
		return nil, err
	}
	o.handOn(ctx, next)
	if w.Applied || !w.Retry {
		return o.shown(ctx, op)
	}
	if err := o.Journal.Retry(ctx, o.Now().UTC(), id, "a person asked to try again"); err != nil {
		return nil, err
	}
	return o.again(ctx, op)
}

// held tells a decline that waits for its time, and for a person's objection.
func held(op *journal.Op) bool {
	return op.State == planner.Queued && op.Rating != nil && !op.Rating.HoldUntil.IsZero() && !op.Released
}

// drop takes a held decline out: the application waits for another word.
func (o *Operator) drop(ctx context.Context, op *journal.Op, w Word) (*Started, error) {
	if w.Retry {
		return nil, fmt.Errorf("operation %s is held: `enqueue retry` sends it now", op.ID)
	}
	_, err := o.Journal.Settle(ctx, journal.Settlement{
		Op: op, From: planner.Queued, Stamp: o.Draw(), To: planner.Canceled, Now: o.Now().UTC(), JobID: op.JobID,
		Error: "a person overruled it",
	})
	if err != nil {
		return nil, err
	}
	return o.shown(ctx, op)
}

// applied fills in what an operation did by a person's word.
func (o *Operator) applied(ctx context.Context, op *journal.Op, w Word, s *journal.Settlement) error {
	s.To, s.Error, s.Note = planner.Applied, "", "a person says that it was done"
	if !op.Kind.Paying() {
		if w.Cost != nil {
			return fmt.Errorf("a %s costs nothing: leave --cost out", op.Kind)
		}
		return nil
	}
	s.Cost = w.Cost
	if s.Cost == nil {
		reserved := op.Reserved
		s.Cost = &reserved
	}
	if op.Kind != planner.Create {
		s.SeatsAdded = boughtSeats(op)
		return nil
	}
	job, err := o.madeJob(ctx, op, w)
	if err != nil {
		return err
	}
	s.JobID = job.ID
	s.Made = &journal.Made{Item: op.Item, Slot: op.Slot, Seats: op.Seats, Price: job.Price}
	return nil
}

// madeJob reads the job that a create is said to have made.
func (o *Operator) madeJob(ctx context.Context, op *journal.Op, w Word) (api.Job, error) {
	if w.JobID == 0 {
		return api.Job{}, fmt.Errorf("operation %s made a job: say which one with --job-id", op.ID)
	}
	own, err := o.Journal.Job(ctx, w.JobID)
	if err == nil {
		return api.Job{}, fmt.Errorf("job %d belongs to campaign %s already", w.JobID, own.Campaign)
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return api.Job{}, err
	}
	return o.Market.Job(ctx, w.JobID)
}

// boughtSeats is how many seats a call was to buy, by what was written before it.
func boughtSeats(op *journal.Op) int {
	var ev struct {
		Seats int `json:"seats"`
	}
	for _, e := range slices.Backward(op.History()) {
		if e.State == planner.Sending && json.Unmarshal(e.Evidence, &ev) == nil && ev.Seats > 0 {
			return ev.Seats
		}
	}
	return op.Seats
}
