package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Plan is what would happen, and what it costs, before anything does.
type Plan struct {
	Campaigns []CampaignChange `json:"campaigns"`
	// Operations are those that are due now.
	Operations []Operation `json:"operations"`
	// Shifts are what the edits of the files do to times.
	Shifts []Shift `json:"shifts"`
	// Upcoming are the occurrences within the horizon.
	Upcoming []Upcoming `json:"upcoming"`
	// Budgets are those of the files and their campaigns as they stand.
	Budgets []Budget `json:"budgets"`
	// Cost is what the operations due now cost in USD, and UpcomingCost what
	// the occurrences within the horizon do; nil where a price is not known.
	Cost         *money.USD `json:"cost"`
	UpcomingCost *money.USD `json:"upcoming_cost"`
	// Balance is the account's; nil where it was not read.
	Balance  *money.USD `json:"balance"`
	Warnings []string   `json:"warnings"`

	files   []*campaigns.File
	diffs   []planner.Difference
	heads   map[string]journal.CampaignHead
	teams   map[string][]campaigns.Team
	due     map[string]bool
	offline bool
	// lost tells of jobs in the marketplace that the journal lost.
	lost error
}

// CampaignChange is what becomes of one campaign.
type CampaignChange struct {
	Name   string         `json:"name"`
	Source string         `json:"source"`
	Change planner.Change `json:"change"`
	// State is the registered one; "" for a new campaign.
	State journal.CampaignState `json:"state"`
	Items int                   `json:"items"`
	// Changes are the parts of the spec that differ.
	Changes []string `json:"changes"`
}

// Upcoming is an occurrence that is still to come.
type Upcoming struct {
	Campaign string       `json:"campaign"`
	Action   string       `json:"action"`
	Kind     planner.Kind `json:"kind"`
	Slot     time.Time    `json:"slot"`
	// Local is the slot in Timezone, the action's, as RFC 3339.
	Local    string     `json:"local"`
	Timezone string     `json:"timezone"`
	Items    int        `json:"items"`
	Cost     *money.USD `json:"cost"`
	// Note says that clocks change around the slot; "" as a rule.
	Note string `json:"note,omitempty"`
}

// upcoming shows an occurrence of a campaign.
func upcoming(c *campaigns.Campaign, row planner.Coming) Upcoming {
	zone := c.Timezone
	if a, err := action(c, row.Action); err == nil && a.Timezone != "" {
		zone = a.Timezone
	}
	return Upcoming{
		Campaign: row.Campaign, Action: row.Action, Kind: row.Kind, Slot: row.Slot.UTC(),
		Local: local(row.Slot, zone), Timezone: zone, Items: row.Items, Cost: row.Cost, Note: row.Note,
	}
}

// local is an instant in a zone; one that is not known counts as UTC.
func local(t time.Time, zone string) string {
	at, err := time.LoadLocation(zone)
	if err != nil {
		at = time.UTC
	}
	return t.In(at).Format(time.RFC3339)
}

// Local is a slot in the zone of its action.
func (p *Plan) Local(campaign, id string, slot time.Time) string {
	for _, d := range p.diffs {
		if d.Name == campaign && d.Spec != nil {
			return upcoming(d.Spec, planner.Coming{Action: id, Slot: slot}).Local
		}
	}
	return local(slot, "UTC")
}

// Changes tells whether the plan would change anything.
func (p *Plan) Changes() bool {
	for _, c := range p.Campaigns {
		if c.Change != planner.ChangeUnchanged {
			return true
		}
	}
	return len(p.Operations) > 0
}

// Options say how a plan is made.
type Options struct {
	// Horizon is how far ahead to look.
	Horizon time.Duration
	// Offline asks the marketplace nothing: there are no prices then.
	Offline bool
}

// SpecError is a fault between files that are right each for itself.
type SpecError struct{ Message string }

func (e *SpecError) Error() string { return e.Message }

// Plan looks what files would change and what would happen then.
func (o *Operator) Plan(ctx context.Context, files []*campaigns.File, opt Options) (*Plan, error) {
	if err := checkTogether(files); err != nil {
		return nil, err
	}
	p := &Plan{
		Campaigns: []CampaignChange{}, Operations: []Operation{}, Shifts: []Shift{}, Upcoming: []Upcoming{}, Budgets: []Budget{}, Warnings: []string{},
		files: files, due: map[string]bool{}, offline: opt.Offline,
	}
	for _, f := range files {
		for _, w := range f.Warnings {
			p.warn("%s", w)
		}
	}
	st, err := o.readState(ctx, files)
	if err != nil {
		return nil, err
	}
	p.diffs, p.heads = planner.Diff(files, st.known), st.heads
	if err := o.describe(ctx, p); err != nil {
		return nil, err
	}
	if err := o.shifts(ctx, p); err != nil {
		return nil, err
	}
	if !opt.Offline {
		if err := o.lookAround(ctx, p, st); err != nil {
			return nil, err
		}
	}
	if p.teams, err = o.changedTeams(ctx, files); err != nil {
		return nil, err
	}
	return p, o.lookAhead(ctx, p, st, opt)
}

func (p *Plan) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// checkTogether refuses files that cannot be applied side by side.
func checkTogether(files []*campaigns.File) error {
	var errs []error
	sources, names := map[string]bool{}, map[string]string{}
	for _, f := range files {
		if sources[f.Source] {
			errs = append(errs, &SpecError{fmt.Sprintf("two files go by the name %q: give one of them a `name:`", f.Source)})
		}
		sources[f.Source] = true
		for i := range f.Campaigns {
			name := f.Campaigns[i].Name
			if other, taken := names[name]; taken {
				errs = append(errs, &SpecError{fmt.Sprintf("campaign %q is in %s and in %s: a name is used once in an account", name, other, f.Source)})
			}
			names[name] = f.Source
		}
	}
	return errors.Join(errs...)
}

// describe fills in the campaigns with their changes.
func (o *Operator) describe(ctx context.Context, p *Plan) error {
	stop, err := o.Journal.Stopped(ctx)
	if err != nil {
		return err
	}
	if stop != "" {
		p.warn("everything is stopped (%s): operations wait until `enqueue resume --all`", stop)
	}
	for _, d := range p.diffs {
		row := CampaignChange{Name: d.Name, Source: d.Source, Change: d.Change, Changes: []string{}}
		if d.Change != planner.ChangeNew {
			row.State = p.heads[d.Name].State
		}
		if d.Spec != nil {
			row.Items = len(d.Spec.Items)
		}
		if d.Change == planner.ChangeChanged {
			if row.Changes, err = o.changedParts(ctx, d.Spec); err != nil {
				return err
			}
		}
		if d.From != "" {
			p.warn("campaign %s is taken over from %s", d.Name, d.From)
		}
		if d.Change == planner.ChangeRemoved {
			p.warn("campaign %s is no longer in %s: its schedule ends, its jobs stay as they are", d.Name, d.Source)
		}
		p.Campaigns = append(p.Campaigns, row)
	}
	return nil
}
