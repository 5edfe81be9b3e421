package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Operation is an operation as it is shown. Fields that are not known are nil.
type Operation struct {
	ID            string        `json:"id"`
	Campaign      string        `json:"campaign"`
	Action        string        `json:"action"`
	Item          string        `json:"item"`
	Kind          planner.Kind  `json:"kind"`
	Slot          time.Time     `json:"slot"`
	State         planner.State `json:"state"`
	JobID         *int64        `json:"job_id"`
	ApplicationID *int64        `json:"application_id"`
	Attempts      int           `json:"attempts"`
	// Quote and Cost are in USD.
	Quote     *money.USD `json:"quote"`
	Cost      *money.USD `json:"cost"`
	Error     *string    `json:"error"`
	CreatedAt *time.Time `json:"created_at"`
	SettledAt *time.Time `json:"settled_at"`
}

func showOperation(op *journal.Op) Operation {
	row := planned(&op.Operation)
	row.State, row.Attempts = op.State, op.Attempts
	row.Quote, row.Cost = op.Quote, op.Cost
	row.Error = orNil(op.Error)
	row.CreatedAt, row.SettledAt = timeOrNil(op.CreatedAt), timeOrNil(op.SettledAt)
	if !op.State.Settled() {
		row.SettledAt = nil
	}
	return row
}

// planned shows an operation of which the journal knows nothing.
func planned(op *planner.Operation) Operation {
	return Operation{
		ID: op.ID, Campaign: op.Campaign, Action: op.Action, Item: op.Item, Kind: op.Kind,
		Slot: op.Slot.UTC().Truncate(time.Second), State: planner.Planned,
		JobID: orNil(op.JobID), ApplicationID: orNil(op.ApplicationID()),
	}
}

func orNil[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Operations lists operations, newest first.
func (o *Operator) Operations(ctx context.Context, f journal.Filter) ([]Operation, error) {
	if f.Campaign != "" && f.Campaign != planner.ManualCampaign {
		if err := o.knownOwner(ctx, f.Campaign); err != nil {
			return nil, err
		}
	}
	ops, err := o.Journal.Ops(ctx, f)
	if err != nil {
		return nil, err
	}
	rows := make([]Operation, len(ops))
	for i, op := range ops {
		rows[i] = showOperation(op)
	}
	return rows, nil
}

// knownOwner refuses a campaign that was misspelt. Files own operations too.
func (o *Operator) knownOwner(ctx context.Context, name string) error {
	if ids, err := o.Journal.Since(ctx, name, time.UnixMilli(1)); err != nil || len(ids) > 0 {
		return err
	}
	_, err := o.Campaign(ctx, name)
	return err
}

// Event is one line of an operation's history.
type Event struct {
	At      time.Time     `json:"at"`
	State   planner.State `json:"state"`
	Attempt int           `json:"attempt"`
	// Amount is the quote of a sending, or the cost or refund of an outcome.
	Amount   *money.USD `json:"amount"`
	Note     string     `json:"note"`
	Evidence any        `json:"evidence,omitempty"`
}

// Detail is all that is known of one operation.
type Detail struct {
	Operation
	Seats    int        `json:"seats,omitempty"`
	UpTo     int        `json:"up_to,omitempty"`
	Verdict  string     `json:"verdict,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Because  string     `json:"because,omitempty"`
	Marker   string     `json:"marker,omitempty"`
	Reserved money.USD  `json:"reserved"`
	Refund   *money.USD `json:"refund"`
	// Due is when it is looked at next; nil once it is settled.
	Due     *time.Time `json:"due"`
	History []Event    `json:"history"`
	// Charges are its entries in the ledger.
	Charges []Entry `json:"charges"`
}

// Operation tells one operation's whole history.
func (o *Operator) Operation(ctx context.Context, id string) (*Detail, error) {
	op, err := o.get(ctx, id)
	if err != nil {
		return nil, err
	}
	entries, err := o.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	d := &Detail{
		Operation: showOperation(op), Seats: op.Seats, UpTo: op.UpTo, Because: op.Because,
		Reserved: op.Reserved, Refund: op.Refund, History: history(op), Charges: []Entry{},
	}
	if op.Kind == planner.Create {
		d.Marker = op.Marker()
	}
	if op.Rating != nil {
		d.Verdict, d.Reason = string(op.Rating.Verdict), op.Rating.Reason
	}
	if !op.State.Settled() {
		d.Due = timeOrNil(op.Due)
	}
	for _, e := range entries {
		if e.Op == id {
			d.Charges = append(d.Charges, e)
		}
	}
	return d, nil
}

func history(op *journal.Op) []Event {
	events := op.History()
	out := make([]Event, len(events))
	for i, e := range events {
		out[i] = Event{
			At: time.UnixMilli(e.At).UTC(), State: e.State, Attempt: e.Attempt, Amount: e.Amount, Note: e.Note,
		}
		if len(e.Evidence) > 0 {
			out[i].Evidence = e.Evidence
		}
	}
	return out
}

// get reads an operation and says where to look where there is none.
func (o *Operator) get(ctx context.Context, id string) (*journal.Op, error) {
	op, err := o.Journal.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, fmt.Errorf("there is no operation %q: `enqueue ops` lists them: %w", id, journal.ErrNotFound)
	}
	return op, err
}

// Entry is one entry of the ledger.
type Entry struct {
	At time.Time `json:"at"`
	// Kind is charge, refund or correction.
	Kind   string    `json:"kind"`
	Amount money.USD `json:"amount"`
	Op     string    `json:"op"`
	JobID  *int64    `json:"job_id"`
	// Budgets are the scopes and windows in which it counts.
	Budgets []string `json:"budgets"`
}

// Ledger lists the money entries, oldest first.
func (o *Operator) Ledger(ctx context.Context) ([]Entry, error) {
	entries, err := o.Journal.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]Entry, len(entries))
	for i, e := range entries {
		rows[i] = Entry{At: e.At, Kind: e.Kind, Amount: e.Amount, Op: e.OpID, JobID: orNil(e.JobID), Budgets: []string{}}
		for _, b := range e.Budgets {
			rows[i].Budgets = append(rows[i].Budgets, budgetName(b))
		}
	}
	return rows, nil
}
