package executor

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// rest is how long an operation is left alone that a defect kept from going on.
const rest = 10 * time.Minute

// panicked deals with a defect of this program that one operation ran into. A
// request of it may be out: then it is in doubt, and its money stays held.
func (e *Executor) panicked(ctx context.Context, op *journal.Op, p any) ([]Next, error) {
	steady := context.WithoutCancel(ctx)
	e.Log.ErrorContext(ctx, "an operation ran into a defect of this program", "op", op.ID, "panic", p, "stack", string(debug.Stack()))
	why := fmt.Sprintf("a defect of this program stopped it, please report it: %v", p)
	e.tellOf(steady, op, why)
	ops, err := e.Journal.Load(steady, []string{op.ID})
	if err != nil || len(ops) == 0 {
		return nil, err
	}
	now := ops[0]
	switch {
	case now.State == planner.Sending && now.Nonce == op.Nonce:
		s := journal.Settlement{
			Op: now, From: planner.Sending, Nonce: now.Nonce, To: planner.Unknown, Now: e.Now(), Due: e.Now().Add(e.SettleAfter),
			JobID: now.JobID, Error: why,
		}
		if _, err := e.settle(steady, s); err != nil {
			return nil, err
		}
		return follow(now, s), nil
	case now.State == planner.Unknown && e.patient(now):
		return e.readAgain(steady, now, now.Negative, e.SettleAfter, why, nil)
	case now.State == planner.Unknown:
		return nil, e.park(steady, now, why, nil)
	case now.State == planner.Queued:
		return e.postpone(steady, now, &later{after: rest, reason: why})
	}
	return nil, nil
}

// damaged leaves an operation alone that cannot be read: it is neither sent nor
// settled, and what is held for it stays held until a person has looked.
func (e *Executor) damaged(ctx context.Context, op *journal.Op) error {
	e.Log.ErrorContext(ctx, "an operation cannot be read", "op", op.ID, "err", op.Damage)
	e.tellOf(ctx, op, op.Damage.Error())
	now := e.Now()
	switch op.State {
	case planner.Queued:
		return e.Journal.Defer(ctx, op, now, now.Add(rest), "")
	case planner.Unknown:
		_, err := e.settle(ctx, journal.Settlement{
			Op: op, From: planner.Unknown, To: planner.Unknown, Now: now, Due: now.Add(rest), Silent: true,
		})
		return err
	}
	return nil
}

func (e *Executor) tellOf(ctx context.Context, op *journal.Op, why string) {
	if err := e.Journal.Alert(ctx, e.Now(), "op:"+op.ID, fmt.Sprintf("operation %s: %s", op.ID, why)); err != nil {
		e.Log.WarnContext(ctx, "an alert could not be written", "err", err)
	}
}
