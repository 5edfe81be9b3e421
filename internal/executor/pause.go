package executor

import (
	"context"
	"strconv"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
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
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return nil, err
	}
	ev := &evidence{Job: shoot(job)}
	if job.Status == api.JobFinished {
		return &call{evidence: ev, send: func(context.Context) (effect, error) {
			return effect{refund: same(0), jobID: op.JobID, note: "the job was finished already"}, nil
		}}, nil
	}
	c := &call{evidence: ev, quiet: e.Now().Sub(op.CreatedAt) < patience*e.SendWithin}
	var before money.USD
	if c.quiet {
		c.before = func(ctx context.Context) error {
			me, err := e.Market.Me(ctx)
			before = me.Balance
			return err
		}
	}
	c.send = func(ctx context.Context) (effect, error) {
		if err := e.Market.PauseJob(ctx, op.JobID); err != nil {
			return effect{}, err
		}
		eff, err := e.refund(ctx, op, job, c.quiet, before)
		eff.seats = -e.unfilled(ctx, op, job)
		return eff, err
	}
	return c, nil
}

// refund learns what a pause brought back.
func (e *Executor) refund(ctx context.Context, op *journal.Op, job api.Job, quiet bool, before money.USD) (effect, error) {
	if quiet {
		return e.measured(ctx, op, job, before)
	}
	return e.estimated(ctx, op, job, "the refund is an estimate: other purchases were on their way")
}

// unfilled is how many seats of a job nobody has taken, by our books.
func (e *Executor) unfilled(ctx context.Context, op *journal.Op, job api.Job) int {
	own, err := e.Journal.Job(ctx, op.JobID)
	if err != nil {
		return 0
	}
	return max(0, own.Seats-job.Applications)
}

// measured learns a refund from the balance.
func (e *Executor) measured(ctx context.Context, op *journal.Op, job api.Job, before money.USD) (effect, error) {
	if err := e.Wait(ctx); err != nil {
		return effect{}, err
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return e.estimated(ctx, op, job, "the refund is an estimate: the balance could not be read")
	}
	refund := me.Balance - before
	if refund < 0 {
		return e.estimated(ctx, op, job, "the refund is an estimate: someone else spent meanwhile")
	}
	e.learnRefund(ctx, op, job, refund)
	return effect{refund: &refund, jobID: op.JobID, note: "the refund was measured"}, nil
}

const factRefund = "refund"

// learnRefund keeps what one unfilled seat brings back, in millionths of its
// price, for refunds that cannot be measured.
func (e *Executor) learnRefund(ctx context.Context, op *journal.Op, job api.Job, refund money.USD) {
	worth, err := e.unfilledWorth(ctx, op, job)
	if err != nil || worth <= 0 || refund == 0 {
		return
	}
	ratio, err := refund.Share(int64(money.Dollar), int64(worth))
	if err != nil {
		return
	}
	if err := e.Journal.Remember(ctx, factRefund, strconv.FormatInt(int64(ratio), 10)); err != nil {
		e.Log.WarnContext(ctx, "a measured refund could not be learned from", "err", err)
	}
}

// unfilledWorth is the price of the seats that nobody has taken.
func (e *Executor) unfilledWorth(ctx context.Context, op *journal.Op, job api.Job) (money.USD, error) {
	own, err := e.Journal.Job(ctx, op.JobID)
	if err != nil {
		return 0, err
	}
	return job.Price.Times(int64(max(0, own.Seats-job.Applications)))
}

// estimated reckons a refund that could not be measured. The audit corrects it
// by the balance.
func (e *Executor) estimated(ctx context.Context, op *journal.Op, job api.Job, why string) (effect, error) {
	refund, err := e.unfilledWorth(ctx, op, job)
	if err != nil {
		refund = 0
	}
	if text, err := e.Journal.Recall(ctx, factRefund); err == nil && text != "" {
		if ratio, err := strconv.ParseInt(text, 10, 64); err == nil {
			if r, err := refund.Share(ratio, int64(money.Dollar)); err == nil {
				refund = r
			}
		}
	}
	if own, err := e.Journal.Job(ctx, op.JobID); err == nil && own.Charged > 0 {
		refund = min(refund, own.Charged-own.Refunded)
	}
	return effect{refund: &refund, jobID: op.JobID, note: why}, nil
}

// pausedAlready tells, after a refusal, whether the job is finished anyway.
func pausedAlready(ctx context.Context, e *Executor, op *journal.Op) (bool, effect, error) {
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil || job.Status != api.JobFinished {
		return false, effect{}, err
	}
	return true, effect{refund: same(0), jobID: op.JobID, note: "the job was finished already"}, nil
}

// verifyPause looks at the job's status: finished is what was wanted, whoever
// did it.
func verifyPause(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error) {
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return verdict{}, err
	}
	if job.Status != api.JobFinished {
		return verdict{finding: notDone, shot: shoot(job), why: "the job is online"}, nil
	}
	eff, err := e.estimated(ctx, op, job, "found paused; the refund is an estimate")
	return verdict{finding: done, shot: shoot(job), why: "the job is finished", eff: eff}, err
}
