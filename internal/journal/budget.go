package journal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Budget is a budget as it stands: every component in its current window, in USD.
type Budget struct {
	Scope  string
	Window string
	// Cap is negative where there is none.
	Cap, PauseAt                         money.USD
	Charged, Refunded, Reserved, Unknown money.USD
	Consumed                             money.USD
	// Latched is when it reached its threshold; zero while it is open.
	Latched time.Time
	// LatchedWindow is the window in which that was.
	LatchedWindow string
}

// Committed is what was charged less what came back.
func (b Budget) Committed() money.USD { return b.Charged - b.Refunded }

// Headroom is what may still be reserved; 0 where there is no cap.
func (b Budget) Headroom() money.USD {
	if b.Cap < 0 {
		return 0
	}
	return max(0, b.Cap-b.Committed()-b.Reserved-b.Unknown)
}

// Budget reads a budget as it stands at its limit's window.
func (j *Journal) Budget(ctx context.Context, l Limit) (Budget, error) {
	all, err := j.Budgets(ctx, []Limit{l})
	if err != nil {
		return Budget{}, err
	}
	return all[0], nil
}

// Budgets reads budgets in two round trips, in the order of the limits.
func (j *Journal) Budgets(ctx context.Context, limits []Limit) ([]Budget, error) {
	if len(limits) == 0 {
		return nil, nil
	}
	limits = slices.Clone(limits)
	pipe := j.rdb.Pipeline()
	heads := make([]*redis.MapStringStringCmd, len(limits))
	for i, l := range limits {
		heads[i] = pipe.HGetAll(ctx, j.keys.budget(l.Scope))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("journal: budgets: %w", err)
	}
	windows := make([]*redis.MapStringStringCmd, len(limits))
	for i := range limits {
		limits[i].Window = current(limits[i].Window, heads[i].Val()["window"])
		windows[i] = pipe.HGetAll(ctx, j.keys.window(limits[i].Scope, limits[i].Window))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("journal: budgets: %w", err)
	}
	out := make([]Budget, len(limits))
	for i, l := range limits {
		b, err := decodeBudget(l, heads[i].Val(), windows[i].Val())
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

// current is the window that a budget is in: the kept one where it is later,
// unless it is of another kind, as after an edit of `per`.
func current(asked, kept string) string {
	if len(kept) == len(asked) {
		return max(kept, asked)
	}
	return asked
}

func decodeBudget(l Limit, head, window map[string]string) (Budget, error) {
	h, w := reader{f: head}, reader{f: window}
	b := Budget{
		Scope: l.Scope, Window: l.Window, Cap: l.Cap, PauseAt: l.PauseAt,
		Charged: money.USD(w.int("charged")), Refunded: money.USD(w.int("refunded")),
		Reserved: money.USD(w.int("reserved")), Unknown: money.USD(w.int("unknown")),
		Consumed: money.USD(w.int("consumed")),
		Latched:  h.time("latched"), LatchedWindow: head["latched_window"],
	}
	if l.Resume == campaigns.ResumeWindow && (len(b.LatchedWindow) != len(l.Window) || b.LatchedWindow < l.Window) {
		b.Latched = time.Time{}
	}
	for _, err := range []error{h.err, w.err} {
		if err != nil {
			return b, fmt.Errorf("journal: budget %s: %w", l.Scope, err)
		}
	}
	return b, nil
}

// LatchedScopes lists the budgets that are closed.
func (j *Journal) LatchedScopes(ctx context.Context) ([]string, error) {
	return j.members(ctx, j.keys.latched())
}

// Unlatch opens a budget by a person's word, for the window it is in. It tells
// whether it was closed.
func (j *Journal) Unlatch(ctx context.Context, scope string) (bool, error) {
	out, err := j.run(ctx, "unlatch", scope)
	if err != nil {
		return false, err
	}
	return out[1] == "1", nil
}

// Consume writes what the filled seats of a budget's jobs are worth, all of them
// in USD, and tells whether that closed it. What was filled since the last call
// counts in the limit's window.
func (j *Journal) Consume(ctx context.Context, now time.Time, l Limit, amount money.USD) (bool, error) {
	out, err := j.run(ctx, "consume", millis(now), l.Scope, l.Window, micros(amount),
		micros(l.Cap), micros(l.PauseAt), string(l.Measure), string(l.Resume))
	if err != nil {
		return false, err
	}
	return len(out) > 1, nil
}
