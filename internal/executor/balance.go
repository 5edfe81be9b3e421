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
	if account.Known && e.Now().Sub(account.ReadAt) < freshBalance && p.Detail[0] != "" {
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
	after, err := e.Journal.Account(ctx)
	if err != nil {
		return 0, err
	}
	quiet := before.Inflight == 0 && after.Inflight == 0 &&
		before.Charged == after.Charged && before.Refunded == after.Refunded
	return me.Balance, e.Journal.ReadBalance(ctx, e.Now(), me.Balance, quiet)
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
