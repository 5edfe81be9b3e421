package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	return &purse{Balance: me.Balance, Charged: account.Charged, Refunded: account.Refunded, Guessed: account.Guessed}, nil
}

// measured learns a pause's refund from the balance: what it rose by, but for
// what was booked since. It tells false where that proves nothing, since other
// money moves or the amount can't be this job's.
func (e *Executor) measured(ctx context.Context, op *journal.Op, seen *jobShot, job api.Job, p *purse) (effect, bool, error) {
	if p == nil {
		return effect{}, false, nil
	}
	before, err := e.Journal.Account(ctx)
	if err != nil || before.Inflight != 1 {
		return effect{}, false, err
	}
	if before.Guessed != 0 || p.Guessed != 0 {
		return effect{}, false, nil // what another pause brought back is not known for sure
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return effect{}, false, err
	}
	after, err := e.Journal.Account(ctx)
	if err != nil {
		return effect{}, false, err
	}
	if after.Inflight != 1 || after.Guessed != 0 || after.Charged != before.Charged || after.Refunded != before.Refunded {
		return effect{}, false, nil
	}
	refund := me.Balance - p.Balance + (after.Charged - p.Charged) - (after.Refunded - p.Refunded)
	few, many := e.vacant(ctx, op, seen, job)
	most, err := e.refundAtMost(ctx, op, many, refund)
	if err == nil && refund > most {
		if many, err = e.givenBack(ctx, job, many); err == nil {
			most, err = e.refundAtMost(ctx, op, many, refund)
		}
	}
	if err != nil || refund < refundAtLeast(job, few) || refund > most {
		return effect{}, false, err
	}
	few = e.seatsFor(ctx, op, refund, few, many)
	e.learnRefund(ctx, job, few, refund)
	return effect{refund: &refund, jobID: op.JobID, seats: -few, note: "the refund was measured"}, true, nil
}

// vacant is how many seats the end of a job gave back, at least and at most. By
// our books they are those that no application took; yet a worker who was declined
// may have given a seat back. Where the job's number of seats is known to be what
// is left of them, the last look before the end tells it: seen, or nil.
func (e *Executor) vacant(ctx context.Context, op *journal.Op, seen *jobShot, job api.Job) (few, many int) {
	few = e.surplus(ctx, op, job.Applications)
	many = few
	if seen == nil || seen.Status != api.JobOnline {
		return few, many
	}
	mean, err := e.Journal.Recall(ctx, FactSeats)
	if err != nil || SeatsMean(mean) != SeatsAreLeft {
		return few, many
	}
	few = max(0, seen.Avail-max(0, job.Applications-seen.Applications))
	return few, max(few, many, seen.Avail)
}

// givenBack adds to the seats that a job gave back those of all workers who were
// ever turned away: they may have been open again.
func (e *Executor) givenBack(ctx context.Context, job api.Job, seats int) (int, error) {
	if job.Applications == 0 {
		return seats, nil
	}
	away, err := TurnedAway(ctx, e.Market, job.ID, job.Applications)
	return seats + away, err
}

// seatsFor is how many seats, of few to many, a refund fits the best by what was
// paid for each on average.
func (e *Executor) seatsFor(ctx context.Context, op *journal.Op, refund money.USD, few, many int) int {
	own, err := e.Journal.Job(ctx, op.JobID)
	if err != nil {
		return few
	}
	best, off := few, money.Max
	for n := few; n <= many; n++ {
		worth := seatsWorth(own, n)
		if apart := max(refund-worth, worth-refund); apart < off {
			best, off = n, apart
		}
	}
	return best
}

// refundAtLeast is what the open seats of a job bring back at the bare price. Less
// than that has money in it that went another way meanwhile.
func refundAtLeast(job api.Job, seats int) money.USD {
	least, err := job.Price.Times(int64(seats))
	if err != nil {
		return 0
	}
	return least
}

// refundAtMost is the most that the open seats of a job may bring back: what
// was paid for them on average, and a tenth, since not all seats cost the same.
// A rise of the balance beyond it has another pause in it, one that landed late.
// A job whose seats are not all in the books bounds nothing: unbound is returned.
func (e *Executor) refundAtMost(ctx context.Context, op *journal.Op, seats int, unbound money.USD) (money.USD, error) {
	own, err := e.Journal.Job(ctx, op.JobID)
	if errors.Is(err, journal.ErrNotFound) {
		return unbound, nil
	}
	if err != nil {
		return 0, err
	}
	if own.Charged == 0 || own.Seats <= 0 || own.Refunded > own.Charged {
		return unbound, nil
	}
	paid := own.Charged - own.Refunded
	if own.Lane != "" && own.Lane != op.ID { // a purchase waits for a person
		if held, err := e.Journal.Load(ctx, []string{own.Lane}); err == nil && len(held) == 1 && held[0].Reserved > 0 {
			return paid + held[0].Reserved, nil
		}
	}
	most, err := paid.Share(11*int64(seats), 10*int64(own.Seats))
	return min(most, paid), err
}

// seatsWorth is what was paid for seats of a job, on average.
func seatsWorth(own *journal.Job, seats int) money.USD {
	if own.Charged == 0 || own.Seats <= 0 || own.Refunded > own.Charged {
		return 0
	}
	worth, err := (own.Charged - own.Refunded).Share(int64(seats), int64(own.Seats))
	if err != nil {
		return 0
	}
	return min(worth, own.Charged-own.Refunded)
}

func factRefund(price money.USD) string { return "refund:" + price.String() }

// learnRefund keeps what unfilled seats of a price brought back, for refunds
// that can't be measured.
func (e *Executor) learnRefund(ctx context.Context, job api.Job, seats int, refund money.USD) {
	if seats == 0 || refund == 0 {
		return
	}
	if err := e.Journal.Remember(ctx, factRefund(job.Price), fmt.Sprintf("%d/%d", refund, seats)); err != nil {
		e.Log.WarnContext(ctx, "a measured refund could not be learned from", "err", err)
	}
}

// estimated reckons a refund that could not be measured, by what seats of that
// price brought back before, or else at the bare price, which is the least. What
// the seats cost with all fees is the most: in between, the next reading of the
// balance that nothing disturbs puts it right. A look that does not show the end
// of the job is from before it: more workers may have come, and nothing is the least.
func (e *Executor) estimated(ctx context.Context, op *journal.Op, seen *jobShot, job api.Job, why string) effect {
	seats, many := e.vacant(ctx, op, seen, job)
	if more, err := e.givenBack(ctx, job, many); err == nil && seen != nil {
		many = more
	}
	refund, err := job.Price.Times(int64(seats))
	if err != nil {
		refund = 0
	}
	if text, err := e.Journal.Recall(ctx, factRefund(job.Price)); err == nil {
		if learned, ok := inProportion(text, seats); ok {
			refund = learned
		}
	}
	most := refund
	if own, err := e.Journal.Job(ctx, op.JobID); err == nil && own.Charged > 0 {
		// Seats that a person bought on the website brought back what was never booked.
		refund = max(0, min(refund, own.Charged-own.Refunded))
		most = max(refund, seatsWorth(own, many))
	}
	if job.Status != api.JobFinished {
		refund = 0
	}
	return effect{refund: &refund, most: &most, jobID: op.JobID, seats: -seats, note: why}
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
	for _, e := range slices.Backward(op.History()) {
		var ev evidence
		if len(e.Evidence) > 0 && json.Unmarshal(e.Evidence, &ev) == nil && ev.Purse != nil {
			return ev.Purse
		}
		if e.State == planner.Sending {
			return nil
		}
	}
	return nil
}
