package sandbox

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Config says how the marketplace behaves. Its zero value is a friendly one:
// any key, 1000 USD, jobs online at once, no limits and no faults.
type Config struct {
	// Key is the bearer token that is accepted. Empty: any that is not empty.
	Key string
	// Site is where screenshots are shown. Default the marketplace's own; give the
	// address at which the sandbox is served to have them served too.
	Site string
	// Seed decides workers, their proofs and the faults drawn by share.
	Seed uint64
	// Now is the marketplace's clock. Default time.Now. See ScaledClock.
	Now func() time.Time
	// Balance is what the account starts with. 0: 1000 USD. Negative: nothing.
	Balance money.USD
	// PageSize is how many rows a page of a list has. 0: 20.
	PageSize int
	// Order is how lists are sorted. Default NewestFirst.
	Order Order
	// Habits are the ways in which answers may differ from the reference.
	Habits Habits
	// Moderation is how long a new job waits (status 0) before it goes
	// online. 0: online at once.
	Moderation time.Duration
	// KeepFees makes a pause refund the bare price of each unfilled seat.
	// Default: price and fees, all but the tweet.
	KeepFees bool
	// DeclineFreesSeat lets another worker take a declined one's seat while
	// the job is online. Default: a declined application keeps its seat.
	DeclineFreesSeat bool
	// Crowd is how workers come.
	Crowd Crowd
	// RateLimit is how many API requests one RateWindow takes; the rest is
	// answered 429. 0: no limit.
	RateLimit int
	// RateWindow is in real time, since it is clients that it paces. 0: 1 s.
	RateWindow time.Duration
	// Wall is the clock of RateWindow. Default time.Now.
	Wall func() time.Time
	// RetryDate writes Retry-After as an HTTP date. Default: in seconds.
	RetryDate bool
	// CallbackURL is told of new applications and finished jobs. Empty: none.
	CallbackURL string
	// CallbackJSON posts callbacks as JSON. Default: as a form.
	CallbackJSON bool
	// Faults are what goes wrong. Default: nothing.
	Faults Plan
	// Latency is how long, in real time, each API request takes at least.
	Latency time.Duration
	// LogSize is how many of the latest requests Traffic can tell. 0: 4096.
	LogSize int
}

// Order is how lists are sorted.
type Order int

// The orders of a list.
const (
	NewestFirst Order = iota
	OldestFirst
)

// Seats is what `availseats` means; the reference does not say.
type Seats int

// The meanings of availseats.
const (
	// SeatsTotal: all seats that were bought, filled or not.
	SeatsTotal Seats = iota
	// SeatsRemaining: the seats that are still free.
	SeatsRemaining
)

// Habits are the ways in which answers may differ from the reference. The zero
// value answers as the samples do.
type Habits struct {
	// NumbersAsStrings quotes every number: {"id":"15341","price":"0.2"}.
	NumbersAsStrings bool
	// NullAsEmpty writes "" for null.
	NullAsEmpty bool
	// WrapLists answers {"data":[...]} where the samples show a bare array.
	WrapLists bool
	// CategoriesAsArray answers an array where the sample has numeric keys.
	CategoriesAsArray bool
	// Seats is what availseats means. Default SeatsTotal.
	Seats Seats
	// SeatsKept leaves the refunded seats of a paused job in availseats until
	// it is resumed. Default: a pause takes them away.
	SeatsKept bool
	// TrailingCommas closes objects as some samples do: {"app_id": 1,}.
	TrailingCommas bool
	// HideWaiting leaves jobs that wait for moderation out of the job lists.
	HideWaiting bool
}

// Crowd is how workers come.
type Crowd struct {
	// Off keeps all workers away; only AddApplications brings some.
	Off bool
	// FillIn is how long the seats of a purchase take to fill, on average;
	// more workers come at first. 0: 48 hours.
	FillIn time.Duration
	// PerDay, if positive, is a steady number of workers a day and job
	// instead of FillIn.
	PerDay int
	// RedoAfter is about how long a worker whose work was not complete takes
	// to hand in again. 0: 2 hours.
	RedoAfter time.Duration
}

// withDefaults fills in what was left at zero.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	switch {
	case c.Balance == 0:
		c.Balance = 1000 * money.Dollar
	case c.Balance < 0:
		c.Balance = 0
	}
	if c.Site == "" {
		c.Site = site
	}
	orDefault(&c.PageSize, 20)
	orDefault(&c.RateWindow, time.Second)
	orDefault(&c.LogSize, 4096)
	orDefault(&c.Crowd.FillIn, 48*time.Hour)
	orDefault(&c.Crowd.RedoAfter, 2*time.Hour)
	return c
}

func orDefault[T ~int | ~int64](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}
