package journal

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ClosedScopes lists the scopes of the budgets that are closed at now. The list
// of latches also holds those that a new window opened, until an operation next
// counts against them: each is read again. One that no campaign has any more
// stays in the list, since only a person takes it out.
func (j *Journal) ClosedScopes(ctx context.Context, specs *Specs, now time.Time) ([]string, error) {
	scopes, err := j.LatchedScopes(ctx)
	if err != nil || len(scopes) == 0 {
		return nil, err
	}
	var names []string
	for _, scope := range scopes {
		covered, err := j.covered(ctx, scope)
		if err != nil {
			return nil, err
		}
		names = append(names, covered...)
	}
	if err := specs.Refresh(ctx, names); err != nil {
		return nil, err
	}
	var limits []Limit
	seen := map[string]bool{}
	for _, name := range names {
		sp := specs.Get(name)
		if sp == nil {
			continue
		}
		for _, l := range Limits(sp.Spec, now) {
			if !seen[l.Scope] {
				seen[l.Scope] = true
				limits = append(limits, l)
			}
		}
	}
	budgets, err := j.Budgets(ctx, limits)
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
func (j *Journal) covered(ctx context.Context, scope string) ([]string, error) {
	if name, own := strings.CutPrefix(scope, CampaignScope("")); own {
		return []string{name}, nil
	}
	source, err := url.PathUnescape(strings.TrimPrefix(scope, FileScope("")))
	if err != nil {
		return nil, nil //nolint:nilerr // a scope that nobody wrote has no campaigns
	}
	return j.SourceCampaigns(ctx, source)
}
