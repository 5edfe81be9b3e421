package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// maxDoubts is how many attempts of one operation may end in doubt before a
// person is asked.
const maxDoubts = 5

// applied settles an operation that was done, and pauses the jobs of budgets
// that it brought to their threshold.
func (e *Executor) applied(ctx context.Context, op *journal.Op, from planner.State, reserved money.USD, eff effect) ([]Next, error) {
	if eff.jobID == 0 {
		eff.jobID = op.JobID
	}
	now := e.Now()
	closed, err := e.settle(ctx, journal.Settlement{
		Op: op, From: from, Nonce: op.Nonce, To: planner.Applied, Now: now,
		Cost: eff.cost, Refund: eff.refund, RefundAtMost: eff.most, JobID: eff.jobID, Made: eff.made, SeatsAdded: eff.seats, Note: eff.note,
	})
	var taken *journal.ErrTaken
	if errors.As(err, &taken) {
		return e.misled(ctx, op, from, taken)
	}
	if err != nil {
		return nil, err
	}
	if eff.cost != nil && *eff.cost > reserved {
		e.overrun(ctx, op, reserved, *eff.cost)
	}
	return e.enforce(ctx, closed)
}

// misled deals with a create that was told of another's job: its own is looked
// for by its marker. Where that is the other's in the books, the other was told
// wrong: an audit corrects the books, and a person is asked where it can't.
func (e *Executor) misled(ctx context.Context, op *journal.Op, from planner.State, taken *journal.ErrTaken) ([]Next, error) {
	if from == planner.Unknown {
		e.Suspect()
		return e.ponder(ctx, op, verdict{why: taken.Error()})
	}
	now := e.Now()
	s := journal.Settlement{
		Op: op, From: from, Nonce: op.Nonce, To: planner.Unknown, Now: now, Due: now.Add(e.SettleAfter), Error: taken.Error(),
	}
	if _, err := e.settle(ctx, s); err != nil {
		return nil, err
	}
	return follow(op, s), nil
}

// overrun tells of a charge beyond its quote: the one way to pass a cap, since
// the marketplace told another price than it took.
func (e *Executor) overrun(ctx context.Context, op *journal.Op, reserved, cost money.USD) {
	msg := fmt.Sprintf("operation %s was charged %s USD after a quote of %s: check the marketplace's prices", op.ID, cost, reserved)
	e.Log.ErrorContext(ctx, "charged beyond the quote", "op", op.ID, "quote", reserved, "cost", cost)
	if err := e.Journal.Alert(ctx, e.Now(), "overrun:"+op.Campaign, msg); err != nil {
		e.Log.WarnContext(ctx, "an alert could not be written", "err", err)
	}
}

// settle writes an outcome. A sender that was given up meanwhile still knows
// best what became of its own attempt: its word ends the doubt.
func (e *Executor) settle(ctx context.Context, s journal.Settlement) ([]string, error) {
	s.Stamp = e.Draw()
	e.testify(s)
	closed, err := e.Journal.Settle(ctx, s)
	e.doubtLost(s, err)
	var conflict *journal.ErrConflict
	if errors.As(err, &conflict) && s.From == planner.Sending && conflict.State == planner.Unknown && s.To != planner.Unknown {
		s.From, s.Stamp = planner.Unknown, e.Draw()
		closed, err = e.Journal.Settle(ctx, s)
	}
	if errors.As(err, &conflict) {
		e.Log.WarnContext(ctx, "an outcome came too late", "op", s.Op.ID, "outcome", s.To, "state", conflict.State)
		return nil, nil
	}
	return closed, err
}

// failed settles an operation whose call returned an error, by what the error
// says of the effect.
func (e *Executor) failed(ctx context.Context, op *journal.Op, c *call, err error) ([]Next, error) {
	var refused *api.Error
	if !errors.As(err, &refused) {
		refused = &api.Error{Effect: api.EffectUnknown, Err: err}
	}
	e.notice(ctx, e.changes, refused)
	now := e.Now()
	s := journal.Settlement{
		Op: op, From: planner.Sending, Nonce: op.Nonce, Now: now, JobID: op.JobID, Error: refused.Error(),
	}
	switch refused.Effect {
	case api.EffectRejected:
		if refused.Reason == api.ReasonNotFound && op.JobID != 0 && e.young(ctx, op) {
			s.To, s.Counted, s.Due = planner.Queued, true, now.Add(e.backoff(op, refused.RetryAfter))
			break
		}
		if refused.Reason == api.ReasonNotFound && op.JobID != 0 && op.Kind != planner.Rate {
			e.gone(ctx, op)
		}
		s.To = planner.Rejected
		if done, eff := e.alreadyDone(ctx, op); done {
			return e.applied(ctx, op, planner.Sending, op.Reserved, eff)
		}
	case api.EffectNotApplied:
		s.To, s.Counted = planner.Queued, refused.Reason == api.ReasonRateLimited
		s.Due = now.Add(e.backoff(op, refused.RetryAfter))
		if s.Counted && tries(op)+1 >= maxTries {
			s.To = planner.Rejected
			s.Error = fmt.Sprintf("given up after %d requests that the marketplace turned away; `enqueue retry` tries again: %v", maxTries, refused)
		}
	default:
		s.To = planner.Unknown
		s.Due = now.Add(max(e.SettleAfter, refused.RetryAfter))
		if c.before != nil {
			s.Seen = c.evidence
		}
	}
	if _, err := e.settle(ctx, s); err != nil {
		return nil, err
	}
	return follow(op, s), nil
}

// alreadyDone asks, after a refusal, whether the goal has been reached before:
// a job that is paused, an application that has the wanted verdict.
func (e *Executor) alreadyDone(ctx context.Context, op *journal.Op) (bool, effect) {
	k := kinds[op.Kind]
	if k.reached == nil {
		return false, effect{}
	}
	done, eff, err := k.reached(ctx, e, op)
	return err == nil && done, eff
}

// follow tells when a settled operation is to be looked at again.
func follow(op *journal.Op, s journal.Settlement) []Next {
	switch s.To {
	case planner.Queued:
		return []Next{{ID: op.ID, Queue: op.Queue(), Due: s.Due}}
	case planner.Unknown:
		return []Next{{ID: op.ID, Queue: planner.QueueWatch, Due: s.Due}}
	}
	return nil
}

// notice tells the limiter, a breaker and the people of what an error says
// of the marketplace as a whole.
func (e *Executor) notice(ctx context.Context, b *breaker, err *api.Error) {
	switch err.Reason {
	case api.ReasonRateLimited:
		if lerr := e.Refused(ctx, err.RetryAfter); lerr != nil {
			e.Log.WarnContext(ctx, "the rate limit could not be lowered", "err", lerr)
		}
		return
	case api.ReasonRefused, api.ReasonNotFound:
		// A refusal with a reason comes from a marketplace that works.
		e.recovered(ctx, b)
		return
	}
	if b.failure(err) {
		if aerr := e.Journal.Alert(ctx, e.Now(), "api", b.reason()); aerr != nil {
			e.Log.WarnContext(ctx, "an alert could not be written", "err", aerr)
		}
		e.Log.ErrorContext(ctx, "the marketplace cannot be used; work waits", "err", err)
	}
}

// recovered notes that the marketplace can be used again.
func (e *Executor) recovered(ctx context.Context, b *breaker) {
	if !b.success() || e.reads.isOpen() || e.changes.isOpen() {
		return
	}
	e.Log.InfoContext(ctx, "the marketplace can be used again")
	if err := e.Journal.ClearAlert(ctx, "api"); err != nil {
		e.Log.WarnContext(ctx, "an alert could not be cleared", "err", err)
	}
}

// maxTries is how many requests of one operation may leave and be turned away
// before it is given up. A request that never left, or was turned away for its
// key, says nothing of the operation and counts for nothing.
const maxTries = 20

// tries counts the requests that were turned away since the operation was
// planned, or since a person put it back in line.
func tries(op *journal.Op) int {
	n := 0
	for _, e := range slices.Backward(op.History()) {
		if e.State.Settled() {
			break
		}
		if e.Counted {
			n++
		}
	}
	return n
}

const (
	firstBackoff = time.Second
	maxBackoff   = time.Minute
)

// backoff is how long to wait before the next attempt: what the marketplace
// asked for, or else a random part of a span that doubles.
func (e *Executor) backoff(op *journal.Op, asked time.Duration) time.Duration {
	if asked > 0 {
		return asked + e.Jitter(time.Second)
	}
	span := firstBackoff << min(op.Attempts, 6)
	return firstBackoff/4 + e.Jitter(min(span, maxBackoff))
}

const (
	// longestInLine and longestPause bound how long one waits before it looks
	// again whether another operation has let go of what it needs.
	longestInLine = 30 * time.Second
	longestPause  = 5 * time.Second
)

// inLine is how long an operation waits that another one is ahead of: a quarter
// of the time that it has waited already, so that it asks seldom for what takes
// long. It waits for an operation that may be in doubt for minutes.
func (e *Executor) inLine(op *journal.Op) *later {
	most := longestInLine
	if op.Kind == planner.Pause {
		most = longestPause
	}
	after := min(max(e.Now().Sub(waitsSince(op))/4, firstBackoff), most)
	return &later{after: after + e.Jitter(after/4)}
}

// held tells whether another operation has the job for itself, before the
// marketplace is asked about it. One that is parked holds up no pause.
func (e *Executor) held(ctx context.Context, op *journal.Op) (bool, error) {
	if op.Holder == "" || op.Kind != planner.Pause {
		return op.Holder != "", nil
	}
	holder, err := e.Journal.Load(ctx, []string{op.Holder})
	return err == nil && len(holder) == 1 && holder[0].State != planner.Parked, err
}

// refused deals with an operation that Begin did not let through.
func (e *Executor) refused(ctx context.Context, op *journal.Op, c *call, p journal.Passage) ([]Next, error) {
	switch p.Gate {
	case journal.Lost:
		e.Witness.Doubt("Redis does not know what it acknowledged: the send log is compared with it")
		return e.postpone(ctx, op, &later{after: firstBackoff, reason: "Redis lost writes that it had acknowledged"})
	case journal.Frozen:
		return e.postpone(ctx, op, &later{after: frozenFor, reason: reasonFrozen})
	case journal.Stale, journal.Edited, journal.Asked:
		return e.postpone(ctx, op, &later{after: firstBackoff})
	case journal.Busy:
		return e.postpone(ctx, op, e.inLine(op))
	case journal.Dropped:
		return nil, e.end(ctx, op, planner.Canceled, "the campaign was removed")
	case journal.Latched:
		return nil, e.end(ctx, op, planner.Skipped, fmt.Sprintf(
			"the budget of %s reached its threshold and is closed: `enqueue resume` opens it", scopeName(p.Detail[0])))
	case journal.OverCap:
		return nil, e.end(ctx, op, planner.Skipped, fmt.Sprintf("%s USD do not fit into the budget of %s: %s USD are left",
			c.amount, scopeName(p.Detail[0]), microText(p.Detail[2])))
	case journal.LowBalance:
		return e.lowBalance(ctx, op, c, p)
	}
	return nil, nil
}
