package executor

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// patience is how long a pause waits for a quiet moment in which its refund can
// be measured. After that it goes out, and the refund is estimated.
const patience = 10

// preparePause makes ready a pause whose refund is measured: its answer does
// not tell it, so the balance is read before and after while nothing else
// moves money.
func preparePause(ctx context.Context, e *Executor, op *journal.Op, _ *journal.Spec) (*call, error) {
	job, err := e.ownJob(ctx, op)
	if err != nil {
		return nil, err
	}
	c := &call{evidence: &evidence{Job: shoot(job)}}
	if job.Status == api.JobFinished {
		c.send = func(ctx context.Context) (effect, error) { return e.finishedBefore(ctx, op, job), nil }
		return c, nil
	}
	c.quiet = e.Now().Sub(waitsSince(op)) < patience*e.SendWithin
	if c.quiet {
		c.before = func(ctx context.Context) (err error) {
			c.evidence.Purse, err = e.openPurse(ctx)
			return err
		}
	}
	c.send = func(ctx context.Context) (effect, error) {
		if err := e.Market.PauseJob(ctx, op.JobID); err != nil {
			return effect{}, err
		}
		return e.refunded(ctx, op, c.evidence)
	}
	return c, nil
}

// waitsSince is when the last thing happened to an operation, before it began
// to wait for others.
func waitsSince(op *journal.Op) time.Time {
	if past := op.History(); len(past) > 0 {
		return time.UnixMilli(past[len(past)-1].At)
	}
	return op.CreatedAt
}

// refunded learns what a pause that was accepted brought back. Where a read for
// it fails the outcome is in doubt, and the read-back learns it.
func (e *Executor) refunded(ctx context.Context, op *journal.Op, ev *evidence) (effect, error) {
	const told = "it was paused, but what came back could not be read"
	if err := e.Wait(ctx); err != nil {
		return effect{}, fmt.Errorf("%s: %v", told, err) //nolint:errorlint // an effect of this read is none of the pause
	}
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return effect{}, fmt.Errorf("%s: %v", told, err) //nolint:errorlint // as above
	}
	eff, measured, err := e.measured(ctx, op, ev.Job, job, ev.Purse)
	if err != nil {
		return effect{}, fmt.Errorf("%s: %v", told, err) //nolint:errorlint // as above
	}
	if measured {
		return eff, nil
	}
	return e.estimated(ctx, op, ev.Job, job, "the refund is an estimate: other money moved meanwhile"), nil
}

// finishedBefore is the effect of a pause that found its job finished. Where
// seats were open it was paused by someone: an attempt of ours that landed late,
// or a person. What came back then is told by the balance.
func (e *Executor) finishedBefore(ctx context.Context, op *journal.Op, job api.Job) effect {
	seats := e.surplus(ctx, op, job.Applications)
	eff := effect{refund: same(0), jobID: op.JobID, seats: -seats, note: "the job was finished already"}
	if own, err := e.Journal.Job(ctx, op.JobID); err == nil && seats > 0 {
		eff.most = same(seatsWorth(own, seats))
	}
	return eff
}

// pausedAlready tells, after a refusal, whether the job is finished anyway.
func pausedAlready(ctx context.Context, e *Executor, op *journal.Op) (bool, effect, error) {
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil || job.Status != api.JobFinished {
		return false, effect{}, err
	}
	return true, e.finishedBefore(ctx, op, job), nil
}

// verifyPause looks at the job's status: finished is what was wanted, whoever
// did it. The refund is measured once nothing else moves money; it is not
// waited for without end.
func verifyPause(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error) {
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return verdict{}, err
	}
	if job.Status != api.JobFinished {
		return verdict{finding: notDone, shot: shoot(job), why: "the job is online"}, nil
	}
	v := verdict{finding: done, shot: shoot(job), why: "the job is finished"}
	before := purseOf(op)
	eff, measured, err := e.measured(ctx, op, ev.Job, job, before)
	switch {
	case err != nil:
		return verdict{}, err
	case measured:
		v.eff = eff
	case before != nil && e.patient(op):
		v.finding, v.why = undecided, "the job is finished, but other money is on its way: its refund can't be measured yet"
	default:
		v.eff = e.estimated(ctx, op, ev.Job, job, "found paused; the refund is an estimate")
	}
	return v, nil
}
