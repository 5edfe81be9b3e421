package operator

import (
	"context"
	"net/url"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// Budget is a budget in its current window, in USD. At every moment cap >=
// committed + reserved + unknown.
type Budget struct {
	// Scope is the campaign's name, or "account" for the budget of a file.
	Scope string `json:"scope"`
	// Source is the file that it comes from.
	Source string    `json:"source"`
	Window string    `json:"window"`
	Cap    money.USD `json:"cap"`
	// PauseAt is nil where nothing is paused.
	PauseAt   *money.USD `json:"pause_at"`
	Committed money.USD  `json:"committed"`
	Reserved  money.USD  `json:"reserved"`
	Unknown   money.USD  `json:"unknown"`
	Refunded  money.USD  `json:"refunded"`
	Consumed  money.USD  `json:"consumed"`
	Headroom  money.USD  `json:"headroom"`
	// Paused tells that it reached its threshold and is closed.
	Paused bool `json:"paused"`
}

// scopeAccount is how the budget of a file is called.
const scopeAccount = "account"

func showBudget(b journal.Budget, source string) Budget {
	row := Budget{
		Scope: scopeAccount, Source: source, Window: b.Window, Cap: b.Cap, PauseAt: orNil(b.PauseAt),
		Committed: b.Committed(), Reserved: b.Reserved, Unknown: b.Unknown, Refunded: b.Refunded,
		Consumed: b.Consumed, Headroom: b.Headroom(), Paused: !b.Latched.IsZero(),
	}
	if name, own := strings.CutPrefix(b.Scope, "c:"); own {
		row.Scope = name
	}
	return row
}

// budgetName turns "c:signs 2026-11" into "signs 2026-11".
func budgetName(line string) string {
	scope, window, _ := strings.Cut(line, " ")
	if name, own := strings.CutPrefix(scope, "c:"); own {
		return name + " " + window
	}
	source, err := url.PathUnescape(strings.TrimPrefix(scope, "f:"))
	if err != nil {
		return line
	}
	return scopeAccount + " (" + source + ") " + window
}

// Budgets lists every budget that has a cap: those of campaigns, then those of
// files.
func (o *Operator) Budgets(ctx context.Context) ([]Budget, error) {
	regs, err := o.registered(ctx)
	if err != nil {
		return nil, err
	}
	specs := make([]*campaigns.Campaign, len(regs))
	for i, reg := range regs {
		specs[i] = reg.Spec
	}
	return o.budgetsOf(ctx, specs)
}

// budgetsOf are the budgets of campaigns, each once.
func (o *Operator) budgetsOf(ctx context.Context, specs []*campaigns.Campaign) ([]Budget, error) {
	var own, common []journal.Limit
	var ownSources, commonSources []string
	seen := map[string]bool{}
	now := o.Now()
	for _, c := range specs {
		for _, l := range journal.Limits(c, now) {
			if l.Cap < 0 || seen[l.Scope] {
				continue
			}
			seen[l.Scope] = true
			if l.Scope == journal.CampaignScope(c.Name) {
				own, ownSources = append(own, l), append(ownSources, c.Source)
			} else {
				common, commonSources = append(common, l), append(commonSources, c.Source)
			}
		}
	}
	budgets, err := o.Journal.Budgets(ctx, append(own, common...))
	if err != nil {
		return nil, err
	}
	rows := make([]Budget, len(budgets))
	for i, source := range append(ownSources, commonSources...) {
		rows[i] = showBudget(budgets[i], source)
	}
	return rows, nil
}

// registered are the campaigns that were not removed, by name.
func (o *Operator) registered(ctx context.Context) ([]*journal.Registered, error) {
	names, err := o.Journal.CampaignNames(ctx)
	if err != nil {
		return nil, err
	}
	regs, err := o.Journal.Campaigns(ctx, names)
	if err != nil {
		return nil, err
	}
	kept := regs[:0]
	for _, reg := range regs {
		if reg.State != journal.Removed {
			kept = append(kept, reg)
		}
	}
	return kept, nil
}
