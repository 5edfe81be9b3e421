package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// readsForAbsence is how many reads, SettleAfter apart, must not find an effect
// before it counts as not done: a late request may still land between them.
const readsForAbsence = 3

// readBack finds out what became of an operation in doubt.
func (e *Executor) readBack(ctx context.Context, op *journal.Op) ([]Next, error) {
	now := e.Now()
	if op.Due.After(now) {
		return []Next{{ID: op.ID, Queue: planner.QueueWatch, Due: op.Due}}, nil
	}
	if l := e.blind(); l != nil {
		return e.readAgain(ctx, op, op.Negative, l.after, l.reason, nil)
	}
	leave, wait := e.reads.enter()
	if wait > 0 {
		return e.readAgain(ctx, op, op.Negative, wait, e.reads.reason(), nil)
	}
	defer leave()
	ev, err := readEvidence(op)
	if err != nil {
		return nil, e.park(ctx, op, fmt.Sprintf("what was read before the call is damaged: %v", err), nil)
	}
	v, err := kinds[op.Kind].verify(ctx, e, op, ev)
	if err != nil {
		return e.unreadable(ctx, op, err)
	}
	e.recovered(ctx, e.reads)
	if l := e.blind(); l != nil {
		return e.readAgain(ctx, op, op.Negative, l.after, l.reason, nil)
	}
	return e.decide(ctx, op, v)
}

// blind tells that the books may lack sends: then money that left the account
// says nothing, and neither does money that did not.
func (e *Executor) blind() *later {
	_, err := e.Witness.Enter()
	if err == nil {
		return nil
	}
	l := held(err)
	l.reason = "it is not read back while the journal may lack sends: " + l.reason
	return l
}

// unreadable deals with a read-back that brought no verdict.
func (e *Executor) unreadable(ctx context.Context, op *journal.Op, err error) ([]Next, error) {
	var refused *api.Error
	var h *halt
	var l *later
	switch {
	case errors.As(err, &refused):
		return e.unverified(ctx, op, refused)
	case errors.As(err, &h):
		return nil, e.park(ctx, op, "it can't be read back: "+h.reason, nil)
	case errors.As(err, &l):
		return e.readAgain(ctx, op, op.Negative, l.after, l.reason, nil)
	}
	return nil, err
}

// unverified deals with a read-back that failed itself.
func (e *Executor) unverified(ctx context.Context, op *journal.Op, err *api.Error) ([]Next, error) {
	e.notice(ctx, e.reads, err)
	if err.Reason == api.ReasonNotFound && op.Kind == planner.Rate {
		return nil, e.park(ctx, op, fmt.Sprintf("its application does not exist any more: %v", err), nil)
	}
	if err.Reason == api.ReasonNotFound && op.JobID != 0 && !e.young(ctx, op) {
		e.gone(ctx, op)
		return nil, e.park(ctx, op, fmt.Sprintf("its job does not exist any more: %v", err), nil)
	}
	return e.readAgain(ctx, op, op.Negative, e.backoff(op, err.RetryAfter), err.Error(), nil)
}

// decide settles an operation by what a read found, or reads again.
func (e *Executor) decide(ctx context.Context, op *journal.Op, v verdict) ([]Next, error) {
	switch v.finding {
	case done:
		return e.applied(ctx, op, planner.Unknown, op.Reserved, v.eff)
	case conflicting:
		return nil, e.conclude(ctx, op, planner.Rejected, v)
	case undecided:
		return e.weigh(ctx, op, v)
	}
	return e.absent(ctx, op, v)
}

// absent counts a read that did not find the effect. After enough of them the
// operation is sent again, unless the balance speaks against it.
func (e *Executor) absent(ctx context.Context, op *journal.Op, v verdict) ([]Next, error) {
	reads := op.Negative + 1
	repeatable := kinds[op.Kind].repeatable
	if reads < readsForAbsence && !repeatable {
		return e.readAgain(ctx, op, reads, e.SettleAfter, v.why, v.shot)
	}
	if !repeatable {
		short, err := e.moneyMissing(ctx, op)
		if err != nil {
			return e.unreadable(ctx, op, err)
		}
		if short.mine {
			v.why += fmt.Sprintf(", but %s USD have left the account unexplained", short.missing)
			// What others may have taken is known once they are settled.
			if !short.theirs || e.Now().Sub(begunAt(op)) < e.Abandon+2*readsForAbsence*e.SettleAfter {
				return e.ponderShortage(ctx, op, v, short)
			}
		}
	}
	if doubts(op) >= maxDoubts {
		return nil, e.park(ctx, op, fmt.Sprintf("%d attempts ended in doubt and were not done: %s", maxDoubts, v.why), v.shot)
	}
	return e.again(ctx, op, v)
}

// ponderShortage looks again at what the job and the balance contradict each
// other about. It is left to a person only where no other operation may have
// taken the money.
func (e *Executor) ponderShortage(ctx context.Context, op *journal.Op, v verdict, short shortage) ([]Next, error) {
	if short.theirs {
		return e.readAgain(ctx, op, op.Negative, e.SettleAfter, v.why, v.shot)
	}
	return e.ponder(ctx, op, v)
}

// weigh asks the balance, as a second witness, about what the job leaves open.
func (e *Executor) weigh(ctx context.Context, op *journal.Op, v verdict) ([]Next, error) {
	if v.eff.cost == nil {
		return e.ponder(ctx, op, v)
	}
	found, err := e.balanceSays(ctx, op)
	if err != nil {
		return e.unreadable(ctx, op, err)
	}
	switch found {
	case done:
		v.eff.note += "; the balance fell by its cost"
		return e.applied(ctx, op, planner.Unknown, op.Reserved, v.eff)
	case notDone:
		v.why += "; the balance did not fall"
		return e.absent(ctx, op, v)
	}
	return e.ponder(ctx, op, v)
}

// again puts an operation that was not done back in line.
func (e *Executor) again(ctx context.Context, op *journal.Op, v verdict) ([]Next, error) {
	now := e.Now()
	s := journal.Settlement{
		Op: op, From: planner.Unknown, To: planner.Queued, Now: now, Due: now.Add(e.backoff(op, 0)),
		JobID: op.JobID, Note: "it was not done: " + v.why, Seen: v.shot,
	}
	if _, err := e.settle(ctx, s); err != nil {
		return nil, err
	}
	return follow(op, s), nil
}

// ponder looks again at what could not be decided, and in the end asks a person.
func (e *Executor) ponder(ctx context.Context, op *journal.Op, v verdict) ([]Next, error) {
	if e.patient(op) {
		return e.readAgain(ctx, op, op.Negative, e.SettleAfter, v.why, v.shot)
	}
	return nil, e.park(ctx, op, v.why, v.shot)
}

// patient tells whether an operation in doubt may wait for a clearer picture.
func (e *Executor) patient(op *journal.Op) bool {
	return e.Now().Sub(begunAt(op)) < (readsForAbsence+1)*e.SettleAfter
}

// doubts counts the attempts that ended in doubt.
func doubts(op *journal.Op) int {
	n, last := 0, 0
	for _, ev := range op.History() {
		if ev.State == planner.Unknown && ev.Attempt > last {
			n, last = n+1, ev.Attempt
		}
	}
	return n
}

// readAgain leaves an operation in doubt and looks again later.
func (e *Executor) readAgain(ctx context.Context, op *journal.Op, negative int, after time.Duration, why string, shot any) ([]Next, error) {
	now := e.Now()
	s := journal.Settlement{
		Op: op, From: planner.Unknown, To: planner.Unknown, Now: now, Due: now.Add(after),
		JobID: op.JobID, Error: why, Negative: negative, Seen: shot,
		Silent: negative == op.Negative && why == op.Error,
	}
	if _, err := e.settle(ctx, s); err != nil {
		return nil, err
	}
	return follow(op, s), nil
}

// park leaves an operation to a person, with the evidence.
func (e *Executor) park(ctx context.Context, op *journal.Op, why string, shot any) error {
	return e.conclude(ctx, op, planner.Parked, verdict{why: why, shot: shot})
}

func (e *Executor) conclude(ctx context.Context, op *journal.Op, to planner.State, v verdict) error {
	_, err := e.settle(ctx, journal.Settlement{
		Op: op, From: planner.Unknown, To: to, Now: e.Now(), JobID: op.JobID, Error: v.why, Seen: v.shot,
	})
	return err
}

// Abandoned turns operations whose sender is gone into operations in doubt and
// returns them, to be read back.
func (e *Executor) Abandoned(ctx context.Context, ids []string) ([]Next, error) {
	ops, err := e.Journal.Load(ctx, ids)
	if err != nil {
		return nil, err
	}
	var next []Next
	for _, op := range ops {
		now := e.Now()
		if op.State != planner.Sending || op.Due.After(now) {
			continue
		}
		s := journal.Settlement{
			Op: op, From: planner.Sending, To: planner.Unknown, Now: now, Due: now.Add(e.SettleAfter),
			JobID: op.JobID, Error: "its sender is gone: whether it was sent is not known",
		}
		if _, err := e.settle(ctx, s); err != nil {
			return next, err
		}
		next = append(next, follow(op, s)...)
	}
	return next, nil
}
