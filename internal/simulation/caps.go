package simulation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Reached is a limit of money that was reached.
type Reached struct {
	At time.Time `json:"at"`
	// Scope is a campaign's name, "account" for the budget of a file, or
	// "balance" for the account's own minimum.
	Scope  string `json:"scope"`
	Window string `json:"window"`
	// Limit is threshold, where jobs are paused, cap, where an operation did not
	// fit, or balance.
	Limit string `json:"limit"`
	// Operation is the one that reached it.
	Operation string `json:"operation"`
	// Times is how often it was met in this window.
	Times int `json:"times"`
}

// capLog gathers the limits that were reached, once a window.
type capLog struct {
	now     func() time.Time
	reached []*Reached
}

func (l *capLog) add(r Reached) {
	known := slices.IndexFunc(l.reached, func(o *Reached) bool {
		return o.Scope == r.Scope && o.Window == r.Window && o.Limit == r.Limit
	})
	if known >= 0 {
		l.reached[known].Times++
		return
	}
	r.At, r.Times = l.now(), 1
	l.reached = append(l.reached, &r)
}

// recorder is the journal as the executor sees it, looked over its shoulder for
// limits that hold something up.
type recorder struct {
	*journal.Journal
	caps *capLog
}

// Begin notes which limit did not let an operation through.
func (r *recorder) Begin(ctx context.Context, s journal.Start) (journal.Passage, error) {
	p, err := r.Journal.Begin(ctx, s)
	if err != nil {
		return p, err
	}
	switch p.Gate {
	case journal.OverCap:
		r.caps.add(Reached{Scope: scopeName(p.Detail[0]), Window: p.Detail[1], Limit: "cap", Operation: s.Op.ID})
	case journal.Latched:
		r.caps.add(Reached{Scope: scopeName(p.Detail[0]), Window: p.Detail[1], Limit: "threshold", Operation: s.Op.ID})
	case journal.LowBalance:
		r.caps.add(Reached{Scope: "balance", Limit: "balance", Operation: s.Op.ID})
	}
	return p, nil
}

// Settle notes which budgets a charge closed.
func (r *recorder) Settle(ctx context.Context, s journal.Settlement) ([]string, error) {
	closed, err := r.Journal.Settle(ctx, s)
	if err != nil || len(closed) == 0 || s.To != planner.Applied {
		return closed, err
	}
	reg, err := r.Campaign(ctx, s.Op.Campaign)
	if err != nil {
		return closed, err
	}
	for _, l := range journal.Limits(reg.Spec, s.Now) {
		if slices.Contains(closed, l.Scope) {
			r.caps.add(Reached{Scope: scopeName(l.Scope), Window: l.Window, Limit: "threshold", Operation: s.Op.ID})
		}
	}
	return closed, nil
}

// scopeName is a budget's scope as people know it.
func scopeName(scope string) string {
	if name, own := strings.CutPrefix(scope, "c:"); own {
		return name
	}
	return "account"
}
