package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Settlement says what became of an operation.
type Settlement struct {
	Op *Op
	// From is the state it is believed to be in; another one refuses the write.
	From planner.State
	// Nonce must be the one that began a sending operation; "" elsewhere, and
	// where a sending operation is given up for its sender.
	Nonce string
	// Stamp is drawn by the caller: a repeated write is told by it.
	Stamp string
	To    planner.State
	Now   time.Time
	// Due is when to look again; it orders what is open.
	Due time.Time
	// Cost is what was charged, Refund what came back, in USD; nil means nothing
	// is booked.
	Cost, Refund *money.USD
	// RefundAtMost bounds what may have come back where Refund is an estimate,
	// in USD: a later reading of the balance puts it right. Nil: it is exact.
	RefundAtMost *money.USD
	// JobID is the job made or acted on.
	JobID int64
	// Made describes the job that a create made.
	Made *Made
	// SeatsAdded is how many seats a job gained; negative where it gave some back.
	SeatsAdded int
	// Silent writes no line of the history: nothing new was learned.
	Silent bool
	// Error is the reason of a failure; Note goes to the history.
	Error, Note string
	// Seen is what was read; it goes to the history.
	Seen any
	// Counted tells of a request that left and was turned away.
	Counted bool
	// Negative is the number of reads that found nothing so far.
	Negative int
}

// Made is a job that a create made.
type Made struct {
	Item  string
	Slot  time.Time
	Seats int
	Price money.USD
}

// ErrConflict is returned where the operation is not in the state that a
// settlement starts from.
type ErrConflict struct {
	ID    string
	State planner.State
}

func (e *ErrConflict) Error() string {
	return fmt.Sprintf("operation %s is %s meanwhile", e.ID, e.State)
}

// ErrTaken is returned where a create names a job that it can't have made,
// since the books have it from someone else.
type ErrTaken struct {
	ID    string
	JobID int64
	// Owner is the operation that made the job, or the campaign that adopted it.
	Owner string
}

func (e *ErrTaken) Error() string {
	return fmt.Sprintf("operation %s was told of job %d, which is %s's: one of the two is another job", e.ID, e.JobID, e.Owner)
}

// Settle writes an outcome, moves its money and frees its lane. It returns the
// scopes of the budgets it was charged to that are closed by now.
func (j *Journal) Settle(ctx context.Context, s Settlement) ([]string, error) {
	if s.Refund != nil && *s.Refund < 0 || s.Cost != nil && *s.Cost < 0 {
		return nil, fmt.Errorf("journal: operation %s: a cost or a refund is below zero", s.Op.ID)
	}
	var seen json.RawMessage
	if s.Seen != nil {
		b, err := json.Marshal(s.Seen)
		if err != nil {
			return nil, fmt.Errorf("journal: evidence: %w", err)
		}
		seen = b
	}
	out, err := j.run(ctx, "settle", s.args(seen)...)
	if err != nil {
		return nil, err
	}
	switch out[0] {
	case "gone":
		return nil, fmt.Errorf("operation %q: %w", s.Op.ID, ErrNotFound)
	case "taken":
		return nil, &ErrTaken{ID: s.Op.ID, JobID: s.JobID, Owner: out[1]}
	case "state":
		return nil, &ErrConflict{ID: s.Op.ID, State: planner.State(out[1])}
	}
	return out[1:], nil
}

func (s *Settlement) args(seen json.RawMessage) []any {
	job := ""
	if s.JobID != 0 {
		job = jobText(s.JobID)
	}
	due := s.Due
	if due.IsZero() {
		due = s.Now
	}
	item, slot, seats, price := "", "", "", ""
	if s.Made != nil {
		item, slot = s.Made.Item, millis(s.Made.Slot)
		seats, price = strconv.Itoa(s.Made.Seats), micros(s.Made.Price)
	}
	added := ""
	if s.SeatsAdded != 0 {
		added = strconv.Itoa(s.SeatsAdded)
	}
	event := ""
	if !s.Silent {
		event = s.event(seen).text()
	}
	application, status := s.Op.rated()
	return []any{
		s.Op.ID, string(s.From), s.Nonce, s.Stamp, string(s.To), millis(s.Now), millis(due),
		microsOrNone(s.Cost), microsOrNone(s.Refund), job, s.Error, event,
		s.Negative, item, slot, seats, price, added, application, status, microsOrNone(s.RefundAtMost),
	}
}

func (s *Settlement) event(seen json.RawMessage) Event {
	e := Event{At: s.Now.UnixMilli(), State: s.To, Attempt: s.Op.Attempts, Amount: s.Cost, Note: s.Note, Counted: s.Counted}
	if e.Amount == nil {
		e.Amount = s.Refund
	}
	if e.Note == "" {
		e.Note = s.Error
	}
	e.Evidence = seen
	return e
}

// Defer moves the time at which a queued operation is looked at again.
func (j *Journal) Defer(ctx context.Context, op *Op, now, due time.Time, reason string) error {
	event := ""
	if reason != "" && reason != op.Error {
		event = Event{At: now.UnixMilli(), State: planner.Queued, Attempt: op.Attempts, Note: reason}.text()
	}
	_, err := j.run(ctx, "defer", op.ID, millis(now), millis(due), reason, event)
	return err
}
