package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// openPurse reads the account right before a pause.
func (e *Executor) openPurse(ctx context.Context) (*purse, error) {
	account, err := e.Journal.Account(ctx)
	if err != nil {
		return nil, err
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return nil, err
	}
	return &purse{Balance: me.Balance, Charged: account.Charged, Refunded: account.Refunded}, nil
}

// measured learns a pause's refund from the balance: what it rose by, but for
// what was booked since. It tells false where that proves nothing, since other
// money moves or the amount can't be this job's.
func (e *Executor) measured(ctx context.Context, op *journal.Op, job api.Job, p *purse) (effect, bool, error) {
	if p == nil {
		return effect{}, false, nil
	}
	before, err := e.Journal.Account(ctx)
	if err != nil || before.Inflight != 1 {
		return effect{}, false, err
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return effect{}, false, err
	}
	after, err := e.Journal.Account(ctx)
	if err != nil {
		return effect{}, false, err
	}
	if after.Inflight != 1 || after.Charged != before.Charged || after.Refunded != before.Refunded {
		return effect{}, false, nil
	}
	refund := me.Balance - p.Balance + (after.Charged - p.Charged) - (after.Refunded - p.Refunded)
	if refund < 0 || e.beyond(ctx, op, refund) {
		return effect{}, false, nil
	}
	e.learnRefund(ctx, op, job, refund)
	return effect{
		refund: &refund, jobID: op.JobID, seats: -e.surplus(ctx, op, job.Applications), note: "the refund was measured",
	}, true, nil
}

// beyond tells that more came back than was ever paid for the job, counting
// what a purchase may have paid that waits for a person's word.
func (e *Executor) beyond(ctx context.Context, op *journal.Op, refund money.USD) bool {
	own, err := e.Journal.Job(ctx, op.JobID)
	if err != nil || own.Charged == 0 {
		return false
	}
	most := own.Charged - own.Refunded
	if own.Lane != "" && own.Lane != op.ID {
		if held, err := e.Journal.Load(ctx, []string{own.Lane}); err == nil && len(held) == 1 {
			most += held[0].Reserved
		}
	}
	return refund > most
}

func factRefund(price money.USD) string { return "refund:" + price.String() }

// learnRefund keeps what unfilled seats of a price brought back, for refunds
// that can't be measured.
func (e *Executor) learnRefund(ctx context.Context, op *journal.Op, job api.Job, refund money.USD) {
	seats := e.surplus(ctx, op, job.Applications)
	if seats == 0 || refund == 0 {
		return
	}
	if err := e.Journal.Remember(ctx, factRefund(job.Price), fmt.Sprintf("%d/%d", refund, seats)); err != nil {
		e.Log.WarnContext(ctx, "a measured refund could not be learned from", "err", err)
	}
}

// estimated reckons a refund that could not be measured, by what seats of that
// price brought back before, or else at the bare price, which is the least. The
// audit corrects it by the balance.
func (e *Executor) estimated(ctx context.Context, op *journal.Op, job api.Job, why string) effect {
	seats := e.surplus(ctx, op, job.Applications)
	refund, err := job.Price.Times(int64(seats))
	if err != nil {
		refund = 0
	}
	if text, err := e.Journal.Recall(ctx, factRefund(job.Price)); err == nil {
		if learned, ok := inProportion(text, seats); ok {
			refund = learned
		}
	}
	if own, err := e.Journal.Job(ctx, op.JobID); err == nil && own.Charged > 0 {
		refund = min(refund, own.Charged-own.Refunded)
	}
	return effect{refund: &refund, jobID: op.JobID, seats: -seats, note: why}
}

// inProportion reads "amount/seats" and reckons what other seats bring back,
// rounded down so that no more is booked than came.
func inProportion(learned string, seats int) (money.USD, bool) {
	amount, per, _ := strings.Cut(learned, "/")
	a, err1 := strconv.ParseInt(amount, 10, 64)
	n, err2 := strconv.ParseInt(per, 10, 64)
	if err1 != nil || err2 != nil || n <= 0 {
		return 0, false
	}
	whole, err := money.USD(a).Times(int64(seats))
	return whole / money.USD(n), err == nil
}

// purseOf is the account as it was before the last attempt at a pause; nil
// where it was not read.
func purseOf(op *journal.Op) *purse {
	for i := len(op.History) - 1; i >= 0; i-- {
		var ev evidence
		if len(op.History[i].Evidence) > 0 && json.Unmarshal(op.History[i].Evidence, &ev) == nil && ev.Purse != nil {
			return ev.Purse
		}
		if op.History[i].State == planner.Sending {
			return nil
		}
	}
	return nil
}
