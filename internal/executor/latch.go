package executor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// EnforceLatches pauses the jobs of every budget that is closed. It is safe to
// repeat: a job is paused once for each time that a latch closed.
func (e *Executor) EnforceLatches(ctx context.Context) ([]Next, error) {
	scopes, err := e.Journal.LatchedScopes(ctx)
	if err != nil {
		return nil, err
	}
	return e.enforce(ctx, scopes)
}

func (e *Executor) enforce(ctx context.Context, scopes []string) ([]Next, error) {
	var next []Next
	for _, scope := range scopes {
		names, err := e.covered(ctx, scope)
		if err != nil {
			return next, err
		}
		for _, name := range names {
			more, err := e.pauseFor(ctx, scope, name)
			if err != nil {
				return next, err
			}
			next = append(next, more...)
		}
	}
	return next, nil
}

// covered are the campaigns that a budget is for.
func (e *Executor) covered(ctx context.Context, scope string) ([]string, error) {
	if name, own := strings.CutPrefix(scope, "c:"); own {
		return []string{name}, nil
	}
	source, err := url.PathUnescape(strings.TrimPrefix(scope, "f:"))
	if err != nil {
		return nil, fmt.Errorf("budget %q: %w", scope, err)
	}
	return e.Journal.SourceCampaigns(ctx, source)
}

// pauseFor plans the pauses of one campaign's jobs for a closed budget.
func (e *Executor) pauseFor(ctx context.Context, scope, campaign string) ([]Next, error) {
	reg, err := e.Journal.Campaign(ctx, campaign)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := e.closedBudget(ctx, reg.Spec, scope)
	if err != nil || b == nil || b.Latched.IsZero() {
		return nil, err
	}
	jobs, err := e.Journal.Jobs(ctx, campaign)
	if err != nil {
		return nil, err
	}
	because := fmt.Sprintf("the budget of %s reached %s of %s USD", scopeName(scope), b.PauseAt, b.Cap)
	ops := planner.PauseAll(campaign, planner.ActionBudget, journal.Views(jobs), b.Latched, because)
	return e.Plan(ctx, ops)
}

func (e *Executor) closedBudget(ctx context.Context, c *campaigns.Campaign, scope string) (*journal.Budget, error) {
	for _, l := range journal.Limits(c, e.Now()) {
		if l.Scope == scope {
			b, err := e.Journal.Budget(ctx, l)
			return &b, err
		}
	}
	return nil, nil
}

// Plan writes operations that no schedule asked for and returns the new ones.
func (e *Executor) Plan(ctx context.Context, ops []planner.Operation) ([]Next, error) {
	if len(ops) == 0 {
		return nil, nil
	}
	created, err := e.Journal.Create(ctx, e.Now(), nil, journal.Queue(ops))
	if err != nil {
		return nil, err
	}
	fresh := make(map[string]bool, len(created))
	for _, id := range created {
		fresh[id] = true
	}
	var next []Next
	for _, op := range ops {
		if fresh[op.ID] {
			next = append(next, Next{ID: op.ID, Queue: op.Queue()})
		}
	}
	return next, nil
}
