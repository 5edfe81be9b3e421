package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// LostSend is a send that a send log knows of.
type LostSend struct {
	Op planner.Operation
	// Seq, Attempt, Nonce, Class, Lane and Budgets are what Begin answered.
	Seq                  int64
	Attempt              int
	Nonce                string
	Class, Lane, Budgets string
	// Amount was reserved, in USD.
	Amount money.USD
	Quote  *money.USD
	// Evidence is what was read beforehand.
	Evidence json.RawMessage
	// At is when it was sent, and Due when it is to be read back.
	At, Due time.Time
}

// Resurrection is what Resurrect found.
type Resurrection struct {
	// Written tells that the journal did not know of the send, and does now.
	Written bool
	// Twice tells that the journal let the same attempt, or a later one, through
	// without knowing of this one; it changed nothing.
	Twice bool
	// State is what the operation is in, and Nonce its last attempt, where
	// nothing was written.
	State planner.State
	Nonce string
}

// Resurrect writes a send that the journal lost as unknown, with its
// reservation, whatever the caps say: it may have been paid for. A send that the
// journal knows of stays as it is.
func (j *Journal) Resurrect(ctx context.Context, now time.Time, l LostSend) (Resurrection, error) {
	doc, err := json.Marshal(l.Op)
	if err != nil {
		return Resurrection{}, err
	}
	const why = "the journal lost it, and the send log knows of it: whether it was done is to be read back"
	events := Event{At: l.At.UnixMilli(), State: planner.Sending, Attempt: l.Attempt, Amount: l.Quote, Evidence: l.Evidence}.text() +
		"\n" + Event{At: now.UnixMilli(), State: planner.Unknown, Attempt: l.Attempt, Note: why}.text()
	job := ""
	if l.Op.JobID != 0 {
		job = jobText(l.Op.JobID)
	}
	out, err := j.run(ctx, "resurrect",
		l.Op.ID, millis(now), millis(l.Due), doc, l.Op.Action, string(l.Op.Queue()), millis(l.At), l.Attempt, l.Nonce,
		micros(l.Amount), l.Class, l.Lane, l.Budgets, microsOrNone(l.Quote), string(l.Evidence), l.Seq, job, events, why)
	if err != nil {
		return Resurrection{}, err
	}
	switch out[0] {
	case "ok":
		return Resurrection{Written: true, State: planner.Unknown, Nonce: l.Nonce}, nil
	case "known":
		return Resurrection{State: planner.State(out[1]), Nonce: out[2]}, nil
	case "twice":
		return Resurrection{Twice: true, State: planner.State(out[1])}, nil
	}
	return Resurrection{}, fmt.Errorf("journal: resurrect: %q", out[0])
}
