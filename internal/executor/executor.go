package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// Journal is what the executor asks of the books. journal.Journal documents
// each method.
type Journal interface {
	Load(ctx context.Context, ids []string) ([]*journal.Op, error)
	Create(ctx context.Context, now time.Time, occ *journal.Occurrence, ops []journal.New) ([]string, error)
	Begin(ctx context.Context, s journal.Start) (journal.Passage, error)
	BeginPage(ctx context.Context, now, deadline time.Time, starts []journal.Start) ([]journal.Passage, error)
	SettlePage(ctx context.Context, now time.Time, list []journal.Settlement) ([]bool, error)
	Attest(ctx context.Context, op *journal.Op, now time.Time, evidence any) error
	Settle(ctx context.Context, s journal.Settlement) ([]string, error)
	Defer(ctx context.Context, op *journal.Op, now, due time.Time, reason string) error
	Heads(ctx context.Context, names []string) ([]journal.CampaignHead, error)
	Campaign(ctx context.Context, name string) (*journal.Registered, error)
	SourceCampaigns(ctx context.Context, source string) ([]string, error)
	Jobs(ctx context.Context, campaign string) ([]journal.Job, error)
	Job(ctx context.Context, id int64) (*journal.Job, error)
	See(ctx context.Context, now time.Time, seen []journal.Sighting) error
	Recover(ctx context.Context, now time.Time, r journal.Recovered) (bool, error)
	Asking(ctx context.Context, op, token string, after time.Duration) (bool, error)
	Answered(ctx context.Context, op, token string, lost bool) error
	Quote(ctx context.Context, shape string) (money.USD, bool, error)
	KeepQuote(ctx context.Context, shape string, cost money.USD) error
	LatchedScopes(ctx context.Context) ([]string, error)
	Budget(ctx context.Context, l journal.Limit) (journal.Budget, error)
	Account(ctx context.Context) (journal.Account, error)
	ReadBalance(ctx context.Context, now time.Time, balance money.USD, before journal.Account) error
	Remember(ctx context.Context, fact, value string) error
	Recall(ctx context.Context, fact string) (string, error)
	Alert(ctx context.Context, now time.Time, subject, message string) error
	ClearAlert(ctx context.Context, subject string) error
}

// Witness keeps what is sent on this machine's own disk, for a journal that
// loses what it acknowledged. sendlog.Guard documents each method.
type Witness interface {
	// Enter asks for leave to begin a send; the error, a *sendlog.HeldError, says
	// why not and when to ask again.
	Enter() (sendlog.Pass, error)
	// Check tells whether a pass is still good.
	Check(pass sendlog.Pass) error
	// Record returns once the sends are on the disk; after an error none is made.
	Record(ctx context.Context, pass sendlog.Pass, sends ...sendlog.Send) error
	// Outcome keeps what became of sends; it does not wait for the disk.
	Outcome(list ...sendlog.Outcome)
	// Doubt makes the witness compare itself with the journal before any pass is
	// good again.
	Doubt(reason string)
}

// Config is what an executor is made of. All of its durations are counted by Now.
type Config struct {
	Journal Journal
	Market  Marketplace
	// Witness records each send before it leaves. Nil records nothing, which is
	// for commands that send nothing themselves, and for tests.
	Witness Witness
	// Wait returns once the next request may be made; nil sets no limit.
	Wait func(ctx context.Context) error
	// Refused is told of an answer 429 and its Retry-After; nil ignores it.
	Refused func(ctx context.Context, after time.Duration) error
	// Urgent marks the requests of a context as going ahead; nil marks nothing.
	Urgent func(ctx context.Context) context.Context
	// Suspect is told that a job does not carry the marker that the books expect
	// on it; nil ignores it.
	Suspect func()
	// Now is the clock.
	Now func() time.Time
	// Draw returns a new unguessable word; Jitter a duration up to its argument.
	Draw   func() string
	Jitter func(d time.Duration) time.Duration
	Log    *slog.Logger
	// Concurrency is how many operations are in flight. Default 16.
	Concurrency int
	// SettleAfter is how long an operation of unknown outcome rests between
	// reads. Default 2m.
	SettleAfter time.Duration
	// SendWithin is how long after Begin a request may still leave: a process
	// that slept longer sends nothing. Default 10s.
	SendWithin time.Duration
	// Abandon is when an operation that is sending counts as left by a dead
	// worker. Default 90s; it must exceed SendWithin and the request's time-out.
	Abandon time.Duration
	// AskWithin is when a question for a price that nobody answered is given up, by
	// the clock of Redis. Default 90s; it must exceed SendWithin and the request's
	// time-out as they are on that clock.
	AskWithin time.Duration
	// QuietFor is how long other purchases wait while a refund is measured.
	// Default 30s.
	QuietFor time.Duration
}

// Next is an operation that is to be looked at again.
type Next struct {
	ID    string
	Queue planner.Queue
	// Due is when; the zero time means at once.
	Due time.Time
}

// Executor carries operations out. It is safe for concurrent use.
type Executor struct {
	Config
	// window bounds the operations in hand, slots the requests in flight.
	window chan struct{}
	slots  chan struct{}
	slow   atomic.Bool
	paced  atomic.Bool
	// learned tells that the journal knows what the number of seats counts.
	learned atomic.Bool
	// spare slots are for pauses, which never wait behind purchases.
	spare   chan struct{}
	specs   *journal.Specs
	quotes  *quoter
	dir     *directory
	reads   *breaker
	changes *breaker
}

// windowPerSlot is how many operations are in hand for each request in flight:
// those that are begun or settled share a write of the journal to the disk.
const windowPerSlot = 4

// spareSlots is how many pauses are in flight beside all else.
const spareSlots = 2

// New returns an executor.
func New(cfg Config) *Executor {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&cfg.SettleAfter, 2*time.Minute)
	def(&cfg.SendWithin, 10*time.Second)
	def(&cfg.Abandon, 90*time.Second)
	def(&cfg.AskWithin, 90*time.Second)
	def(&cfg.QuietFor, 30*time.Second)
	if cfg.Concurrency <= 0 {
		cfg.Concurrency = 16
	}
	if cfg.Witness == nil {
		cfg.Witness = unwitnessed{}
	}
	if cfg.Wait == nil {
		cfg.Wait = func(ctx context.Context) error { return ctx.Err() }
	}
	if cfg.Refused == nil {
		cfg.Refused = func(context.Context, time.Duration) error { return nil }
	}
	if cfg.Jitter == nil {
		cfg.Jitter = func(time.Duration) time.Duration { return 0 }
	}
	if cfg.Suspect == nil {
		cfg.Suspect = func() {}
	}
	if cfg.Urgent == nil {
		cfg.Urgent = func(ctx context.Context) context.Context { return ctx }
	}
	e := &Executor{
		Config: cfg,
		window: make(chan struct{}, windowPerSlot*cfg.Concurrency),
		slots:  make(chan struct{}, cfg.Concurrency),
		spare:  make(chan struct{}, spareSlots),
		specs:  journal.NewSpecs(cfg.Journal),
		dir:    newDirectory(cfg.Market, cfg.Now),
	}
	e.quotes = newQuoter(e)
	e.reads, e.changes = newBreaker(cfg.Now, cfg.Jitter), newBreaker(cfg.Now, cfg.Jitter)
	return e
}

// Perform carries a page of operations as far as it can and returns those that
// are to be looked at again. Each is begun and settled on its own. An error
// means that the journal could not be read or written; what was sent by then is
// in the journal as sending, and will be found there. When the context ends no
// request is begun any more, and those on their way are settled.
func (e *Executor) Perform(ctx context.Context, ids []string) ([]Next, error) {
	ops, err := e.Journal.Load(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := e.specs.Refresh(ctx, owners(ops)); err != nil {
		return nil, err
	}
	var (
		mu   sync.Mutex
		next []Next
		errs []error
		wg   sync.WaitGroup
	)
	if page, others := e.ratings(ops); len(page) > 0 {
		alone, more, err := e.ratePage(ctx, page)
		next, ops = more, append(others, alone...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, op := range ops {
		window := e.window
		if op.Kind == planner.Pause {
			window = e.spare
		}
		if !take(ctx, window) {
			errs = append(errs, ctx.Err())
			break
		}
		wg.Go(func() {
			defer func() { <-window }()
			more, err := e.one(ctx, op)
			mu.Lock()
			defer mu.Unlock()
			next = append(next, more...)
			if err != nil {
				errs = append(errs, fmt.Errorf("operation %s: %w", op.ID, err))
			}
		})
	}
	wg.Wait()
	return next, errors.Join(errs...)
}

// take waits for a place, or tells that the context has ended before there was one.
func take(ctx context.Context, places chan struct{}) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// one moves one operation on from the state it is in. What goes wrong with it
// stays with it: its neighbours on the page are carried on.
func (e *Executor) one(ctx context.Context, op *journal.Op) (next []Next, err error) {
	defer func() {
		if p := recover(); p != nil {
			next, err = e.panicked(ctx, op, p)
		}
	}()
	if op.Damage != nil {
		return nil, e.damaged(ctx, op)
	}
	if op.Kind == planner.Pause {
		ctx = e.Urgent(ctx)
	}
	switch op.State {
	case planner.Queued:
		return e.attempt(ctx, op)
	case planner.Unknown:
		return e.readBack(ctx, op)
	}
	return nil, nil
}

// owners are the campaigns that operations belong to.
func owners(ops []*journal.Op) []string {
	seen := map[string]bool{}
	var names []string
	for _, op := range ops {
		if !seen[op.Campaign] {
			seen[op.Campaign] = true
			names = append(names, op.Campaign)
		}
	}
	return names
}
