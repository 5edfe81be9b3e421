// Package operator is the room behind the commands and the console: what a
// person may ask of the books, and do to them. It plans and applies specs,
// tells what became of operations and money, and takes a person's word where
// the program must not guess.
//
// It makes no change on the marketplace itself: whatever moves money becomes an
// operation in the journal and goes through the executor like all others.
package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// Marketplace is what an operator reads. api.Client documents the methods.
type Marketplace interface {
	Me(ctx context.Context) (api.Account, error)
	Job(ctx context.Context, id int64) (api.Job, error)
	AllJobs(ctx context.Context, filter api.JobFilter) iter.Seq2[api.Job, error]
	Application(ctx context.Context, id int64) (api.Application, error)
	AllApplications(ctx context.Context, job int64, status api.ApplicationStatus) iter.Seq2[api.Application, error]
}

// Executor prices jobs and writes operations that no schedule asked for.
type Executor interface {
	Resolve(ctx context.Context, job campaigns.Job) (api.NewJob, error)
	Quote(ctx context.Context, job api.NewJob) (money.USD, error)
	QuoteSeats(ctx context.Context, job api.Job, seats int) (money.USD, error)
	QuoteSeatsAhead(ctx context.Context, job api.NewJob, seats int) (money.USD, error)
	TakeBack(ctx context.Context, a executor.Accident) error
	Plan(ctx context.Context, ops []planner.Operation) ([]executor.Next, error)
	Balance(ctx context.Context) (money.USD, error)
	EnforceLatches(ctx context.Context) ([]executor.Next, error)
}

// Scheduler plans what is due of one campaign.
type Scheduler interface {
	Fire(ctx context.Context, campaign string) ([]planner.Operation, error)
}

// Queue carries operations and rating runs to the workers.
type Queue interface {
	Enqueue(ctx context.Context, next []executor.Next) error
	Review(ctx context.Context, r journal.Review) error
}

// Judge tells what an action's rules say of the pending applications, and which
// there are.
type Judge interface {
	Pending(ctx context.Context, campaign string) ([]watcher.Decision, error)
	Decide(ctx context.Context, sp *journal.Spec, a *campaigns.Action, asOf time.Time) ([]watcher.Decision, error)
}

// Config is what an operator is made of.
type Config struct {
	Journal   *journal.Journal
	Market    Marketplace
	Executor  Executor
	Scheduler Scheduler
	Queue     Queue
	Judge     Judge
	Now       func() time.Time
	Log       *slog.Logger
	// Draw returns a new unguessable word.
	Draw func() string
	// Grace is how late a slot may be and still be on time. Default 1m.
	Grace time.Duration
	// SettleAfter is how long an operation of unknown outcome rests before it is
	// read back. Default 2m.
	SettleAfter time.Duration
}

// Operator does what a person asks for. It is safe for concurrent use.
type Operator struct{ Config }

// New returns an operator.
func New(cfg Config) *Operator {
	if cfg.Grace <= 0 {
		cfg.Grace = time.Minute
	}
	if cfg.SettleAfter <= 0 {
		cfg.SettleAfter = 2 * time.Minute
	}
	return &Operator{Config: cfg}
}

// ErrNothing is returned where what was asked for acts on nothing.
var ErrNothing = errors.New("nothing to do")

// factAccount is where the journal remembers whose books it holds.
const factAccount = "account"

// Account reads the account of the key and refuses one whose books the journal
// does not hold: two accounts in one Redis would mix their money.
func (o *Operator) Account(ctx context.Context) (api.Account, error) {
	me, err := o.Market.Me(ctx)
	if err != nil {
		return me, err
	}
	have := strconv.FormatInt(me.ID, 10)
	want, err := o.Journal.Recall(ctx, factAccount)
	switch {
	case err != nil:
		return me, err
	case want == "":
		return me, o.Journal.Remember(ctx, factAccount, have)
	case want != have:
		return me, &AccountError{Have: have, Want: want}
	}
	return me, nil
}

// AccountError is a key that opens another account than the journal's.
type AccountError struct{ Have, Want string }

func (e *AccountError) Error() string {
	return fmt.Sprintf("the API key opens account %s, but this Redis holds the books of account %s: "+
		"use the key of that account, or another REDIS_URL for this one", e.Have, e.Want)
}

// Campaign reads a registered campaign. One that is not known is an error that
// names the nearest.
func (o *Operator) Campaign(ctx context.Context, name string) (*journal.Registered, error) {
	reg, err := o.Journal.Campaign(ctx, name)
	if !errors.Is(err, journal.ErrNotFound) {
		return reg, err
	}
	names, lerr := o.Journal.CampaignNames(ctx)
	if lerr != nil {
		return nil, lerr
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("campaign %q is not registered: no campaign is, `enqueue apply FILE` registers them: %w", name, err)
	}
	return nil, fmt.Errorf("campaign %q is not registered%s: %w", name, campaigns.DidYouMean(name, names), journal.ErrNotFound)
}

// action finds an action of a campaign by its id.
func action(c *campaigns.Campaign, id string) (*campaigns.Action, error) {
	ids := make([]string, len(c.Actions))
	for i := range c.Actions {
		if c.Actions[i].ID == id {
			return &c.Actions[i], nil
		}
		ids[i] = c.Actions[i].ID
	}
	return nil, fmt.Errorf("campaign %q has no action %q%s", c.Name, id, campaigns.DidYouMean(id, ids))
}

// queue writes operations and hands on the new ones.
func (o *Operator) queue(ctx context.Context, ops []planner.Operation) ([]executor.Next, error) {
	next, err := o.Executor.Plan(ctx, ops)
	if err != nil {
		return nil, err
	}
	o.handOn(ctx, next)
	return next, nil
}

// handOn enqueues operations. What gets lost on the way is found by the
// sweeper, so a failure is only told.
func (o *Operator) handOn(ctx context.Context, next []executor.Next) {
	if len(next) == 0 {
		return
	}
	if err := o.Queue.Enqueue(ctx, next); err != nil {
		o.Log.WarnContext(ctx, "operations are written and could not be enqueued; a runner will find them", "err", err)
	}
}
