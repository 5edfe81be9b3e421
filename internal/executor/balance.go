package executor

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// freshBalance is how old a reading of the balance may be to skip an operation
// by it.
const freshBalance = 30 * time.Second

// lowBalance reads the balance anew before an operation is skipped for it.
func (e *Executor) lowBalance(ctx context.Context, op *journal.Op, c *call, p journal.Passage) ([]Next, error) {
	account, err := e.Journal.Account(ctx)
	if err != nil {
		return nil, err
	}
	if account.Known && account.Back == 0 && e.Now().Sub(account.ReadAt) < freshBalance && p.Detail[0] != "" {
		return nil, e.end(ctx, op, planner.Skipped, fmt.Sprintf(
			"%s USD would leave %s USD in the account, below its minimum balance", c.amount, microText(p.Detail[0])))
	}
	if _, err := e.Balance(ctx); err != nil {
		return e.unprepared(ctx, op, err)
	}
	return e.postpone(ctx, op, &later{})
}

// Balance reads the account's balance and writes it down. The first reading
// with nothing in flight anchors the books.
func (e *Executor) Balance(ctx context.Context) (money.USD, error) {
	before, err := e.Journal.Account(ctx)
	if err != nil {
		return 0, err
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return 0, err
	}
	return me.Balance, e.Journal.ReadBalance(ctx, e.Now(), me.Balance, before)
}

// shortage is what the balance says against the absence of a purchase.
type shortage struct {
	// missing is what has left the account and is not in the books, in USD.
	missing money.USD
	// mine tells that the operation may have taken it; theirs, that others
	// which are on their way or in doubt may have as well.
	mine, theirs bool
}

// moneyMissing tells whether so much money has left the account unexplained
// that an operation in doubt may have taken it. Nothing is known of an account
// whose balance was never read.
func (e *Executor) moneyMissing(ctx context.Context, op *journal.Op) (shortage, error) {
	before, err := e.Journal.Account(ctx)
	if err != nil || !before.Anchored || op.Reserved == 0 {
		return shortage{}, err
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return shortage{}, err
	}
	after, err := e.Journal.Account(ctx)
	if err != nil {
		return shortage{}, err
	}
	missing := before.Expected() - before.Drift - me.Balance
	held := max(before.Reserved+before.Unknown, after.Reserved+after.Unknown) - op.Reserved
	moved := after.Charged != before.Charged || after.Refunded != before.Refunded
	return shortage{missing: missing, mine: missing >= op.Reserved, theirs: moved || missing <= held}, nil
}

// balanceSays tells whether a purchase in doubt was charged. The balance tells
// it only where nothing else is in flight and it differs from the books by the
// very price, or not at all.
func (e *Executor) balanceSays(ctx context.Context, op *journal.Op) (finding, error) {
	before, err := e.Journal.Account(ctx)
	if err != nil || !before.Anchored || before.Inflight != 1 || op.Reserved == 0 {
		return undecided, err
	}
	me, err := e.Market.Me(ctx)
	if err != nil {
		return undecided, err
	}
	after, err := e.Journal.Account(ctx)
	if err != nil || after.Inflight != 1 || after.Expected() != before.Expected() {
		return undecided, err
	}
	switch after.Expected() - after.Drift - me.Balance {
	case op.Reserved:
		return done, nil
	case 0:
		return notDone, nil
	}
	return undecided, nil
}

// scopeName is how a budget is called towards people.
func scopeName(scope string) string {
	if name, found := strings.CutPrefix(scope, "c:"); found {
		return name
	}
	file, err := url.PathUnescape(strings.TrimPrefix(scope, "f:"))
	if err != nil {
		return scope
	}
	return "the account (" + file + ")"
}

func microText(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return s
	}
	return money.USD(n).String()
}
