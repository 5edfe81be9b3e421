package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Account is the marketplace account's money as the journal sees it, in USD.
type Account struct {
	// Known tells whether the balance was ever read.
	Known bool
	// Balance is the last reading and ReadAt when it was.
	Balance money.USD
	ReadAt  time.Time
	// Back is what refunds have brought since; the reading may hold it already.
	Back money.USD
	// Anchor is the balance that the account had before all that the journal
	// booked; Anchored tells whether it is known.
	Anchor   money.USD
	Anchored bool
	// Drift is how much less the account held than the books say, at the last
	// reading with nothing in flight.
	Drift money.USD
	// Charged and Refunded are all that was booked, of every campaign.
	Charged, Refunded money.USD
	Reserved, Unknown money.USD
	// Guessed is how much more than was booked the refunds that were estimated may
	// have brought; a quiet reading of the balance ends it.
	Guessed money.USD
	// Inflight is how many calls that move money are on their way or in doubt.
	Inflight int
}

// Expected is what the balance should be by the books.
func (a Account) Expected() money.USD { return a.Anchor - a.Charged + a.Refunded }

// Account reads the account.
func (j *Journal) Account(ctx context.Context) (Account, error) {
	f, err := j.rdb.HGetAll(ctx, j.keys.account()).Result()
	if err != nil {
		return Account{}, fmt.Errorf("journal: account: %w", err)
	}
	r := reader{f: f}
	_, known := f["balance"]
	_, anchored := f["anchor"]
	a := Account{
		Known: known, Balance: money.USD(r.int("balance")), ReadAt: r.time("read_at"),
		Anchored: anchored, Anchor: money.USD(r.int("anchor")), Drift: money.USD(r.int("drift")),
		Charged: money.USD(r.int("charged")), Refunded: money.USD(r.int("refunded")),
		Reserved: money.USD(r.int("reserved")), Unknown: money.USD(r.int("unknown")),
		Guessed: money.USD(r.int("guessed")), Inflight: int(r.int("inflight")),
	}
	a.Back = a.Refunded - money.USD(r.int("read_back"))
	return a, r.err
}

// ReadBalance writes a reading of the balance. before is the account as it was
// right before the reading: where nothing has moved money since, and nothing is
// in flight, the first reading anchors the books and each tells their drift.
func (j *Journal) ReadBalance(ctx context.Context, now time.Time, balance money.USD, before Account) error {
	_, err := j.run(ctx, "balance", millis(now), micros(balance),
		before.Inflight, micros(before.Charged), micros(before.Refunded))
	return err
}

// Reanchor takes a difference of the balance as explained: the anchor is
// replaced, unless money has moved since the account was read.
func (j *Journal) Reanchor(ctx context.Context, read Account, anchor money.USD) error {
	out, err := j.run(ctx, "reanchor", micros(read.Anchor), micros(anchor), micros(read.Charged), micros(read.Refunded))
	if err != nil {
		return err
	}
	if out[0] != "ok" {
		return errors.New("money has moved meanwhile: try again")
	}
	return nil
}

// Remember keeps a fact about the account that was learned from its answers,
// and Recall reads it; "" means not known yet.
func (j *Journal) Remember(ctx context.Context, fact, value string) error {
	return j.rdb.HSet(ctx, j.keys.account(), "fact:"+fact, value).Err()
}

// Recall reads a fact that Remember kept.
func (j *Journal) Recall(ctx context.Context, fact string) (string, error) {
	v, err := j.rdb.HMGet(ctx, j.keys.account(), "fact:"+fact).Result()
	if err != nil {
		return "", fmt.Errorf("journal: account: %w", err)
	}
	s, _ := v[0].(string)
	return s, nil
}
