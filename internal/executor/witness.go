package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// unwitnessed lets everything pass and keeps nothing.
type unwitnessed struct{}

func (unwitnessed) Enter() (sendlog.Pass, error) { return 0, nil }

func (unwitnessed) Check(sendlog.Pass) error { return nil }

func (unwitnessed) Record(context.Context, sendlog.Pass, ...sendlog.Send) error { return nil }

func (unwitnessed) Outcome(...sendlog.Outcome) {}

func (unwitnessed) Doubt(string) {}

// unsentError is the witness's veto at the last moment.
type unsentError struct{ cause error }

func (e *unsentError) Error() string { return e.cause.Error() }

// frozenFor is how long an operation waits where a person must act first.
const frozenFor = 30 * time.Second

// reasonFrozen is what an operation says while a person must act.
const reasonFrozen = "nothing is sent until a person acts: `enqueue status` tells why"

// held puts an operation off that the witness does not let pass.
func held(err error) *later {
	var h *sendlog.HeldError
	if errors.As(err, &h) && h.After >= frozenFor {
		return &later{after: h.After, reason: reasonFrozen}
	}
	if errors.As(err, &h) {
		return &later{after: h.After, reason: h.Reason}
	}
	return &later{after: firstBackoff, reason: err.Error()}
}

// record writes down what is about to leave. An accident of a quote has left
// already, so its line is kept where it can be, and stops nothing.
func (e *Executor) record(ctx context.Context, op *journal.Op, c *call) error {
	s, err := e.line(op, c)
	if err == nil {
		err = e.Witness.Record(ctx, c.pass, s)
	}
	if err != nil && c.accident != nil {
		e.Log.ErrorContext(ctx, "a job made by a quote could not be written into the send log", "job", c.accident.jobID, "err", err)
		return nil
	}
	return err
}

// recordPage writes a page down. Its ratings leave together or not at all.
func (e *Executor) recordPage(ctx context.Context, page []sent) error {
	lines := make([]sendlog.Send, len(page))
	for i, s := range page {
		var err error
		if lines[i], err = e.line(s.op, s.c); err != nil {
			return err
		}
		lines[i].Doc = s.op.Doc
	}
	return e.Witness.Record(ctx, page[0].c.pass, lines...)
}

// line is what the send log keeps of a call.
func (e *Executor) line(op *journal.Op, c *call) (sendlog.Send, error) {
	s := sendlog.Send{
		Seq: c.passage.Seq, At: e.Now(), Op: op.Operation, Attempt: op.Attempts, Nonce: op.Nonce,
		Class: c.passage.Class, Lane: c.passage.Lane, Budgets: c.passage.Budgets, Amount: c.amount, Quote: c.quote,
	}
	if c.evidence != nil {
		doc, err := json.Marshal(c.evidence)
		if err != nil {
			return s, fmt.Errorf("evidence: %w", err)
		}
		s.Evidence = doc
	}
	return s, nil
}

// testify keeps what became of sends beside the journal, before it is written
// there: what the journal loses of it is then known to the cent.
func (e *Executor) testify(list ...journal.Settlement) {
	outcomes := make([]sendlog.Outcome, 0, len(list))
	for _, s := range list {
		sent := s.From == planner.Sending && s.Nonce != ""
		if s.Op.Nonce == "" || !sent && (s.From != planner.Unknown || s.To == planner.Unknown) {
			continue
		}
		outcomes = append(outcomes, sendlog.Outcome{
			Nonce: s.Op.Nonce, At: s.Now, To: s.To, Cost: s.Cost, Refund: s.Refund, RefundAtMost: s.RefundAtMost,
			JobID: s.JobID, Made: s.Made, SeatsAdded: s.SeatsAdded, Error: s.Error, Note: s.Note,
		})
	}
	if len(outcomes) > 0 {
		e.Witness.Outcome(outcomes...)
	}
}

// doubtLost has the witness look at a journal that does not know an attempt
// which it let through: that is how one looks that lost writes.
func (e *Executor) doubtLost(s journal.Settlement, err error) {
	var conflict *journal.ErrConflict
	odd := errors.Is(err, journal.ErrNotFound) || errors.As(err, &conflict) && conflict.State != planner.Unknown
	if odd && s.From == planner.Sending && s.Nonce != "" {
		e.Witness.Doubt(fmt.Sprintf("the journal does not know of the attempt at %s any more: the send log is compared with it", s.Op.ID))
	}
}
