package console

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// closed lists the scopes of the budgets that are closed now. The journal's
// list also holds those that a new window opened, until an operation next
// counts against them: each is read again. One that no campaign has any more
// stays in the list, since only a person takes it out.
func (c *console) closed(ctx context.Context) ([]string, error) {
	scopes, err := c.Journal.LatchedScopes(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, scope := range scopes {
		covered, err := c.covered(ctx, scope)
		if err != nil {
			return nil, err
		}
		names = append(names, covered...)
	}
	limits, err := c.limits(ctx, names)
	if err != nil {
		return nil, err
	}
	budgets, err := c.Journal.Budgets(ctx, limits)
	if err != nil {
		return nil, err
	}
	open := map[string]bool{}
	for _, b := range budgets {
		open[b.Scope] = b.Latched.IsZero()
	}
	return slices.DeleteFunc(scopes, func(scope string) bool { return open[scope] }), nil
}

// covered are the campaigns that a budget is for.
func (c *console) covered(ctx context.Context, scope string) ([]string, error) {
	if name, own := strings.CutPrefix(scope, journal.CampaignScope("")); own {
		return []string{name}, nil
	}
	source, err := url.PathUnescape(strings.TrimPrefix(scope, journal.FileScope("")))
	if err != nil {
		return nil, nil //nolint:nilerr // a scope that nobody wrote has no campaigns
	}
	return c.Journal.SourceCampaigns(ctx, source)
}
