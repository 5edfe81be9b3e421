package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// How much one page shows.
const (
	campaignsShown  = 50
	jobsShown       = 200
	parkedShown     = 50
	operationsShown = 50
)

// overview is the state of everything at a moment.
type overview struct {
	frame
	// Stopped is why everything is held, or "".
	Stopped string
	// Frozen tells that no runner may send, for a reason that is among the alerts.
	Frozen  bool
	API     string
	Account journal.Account
	Counts  []stateCount
	Parked  []*journal.Op
	// MoreParked is how many parked operations are not shown.
	MoreParked int
	Alerts     []journal.Alert
	// Closed are the scopes of the budgets that reached their threshold.
	Closed    []string
	Campaigns []campaignRow
	// All is how many campaigns there are; Page counts from 1.
	All, Page, Pages int
	Jobs             []journal.Job
	MoreJobs         int
	Budgets          []journal.Budget
	Operations       []*journal.Op
}

// Attention is how much waits for a person.
func (o *overview) Attention() int {
	return len(o.Parked) + o.MoreParked + len(o.Alerts) + len(o.Closed)
}

// Earlier is the page before this one, or 0.
func (o *overview) Earlier() int { return o.Page - 1 }

// Later is the page after this one, or 0.
func (o *overview) Later() int {
	if o.Page >= o.Pages {
		return 0
	}
	return o.Page + 1
}

type stateCount struct {
	State planner.State
	Count int
}

// campaignRow is one campaign and what its jobs add up to.
type campaignRow struct {
	journal.Tally
	Name           string
	State          journal.CampaignState
	Reason         string
	Budget         journal.Budget
	Next           time.Time
	NextAction     string
	WaitsForEvents bool
}

// overview reads the given page of campaigns and what belongs to it.
func (c *console) overview(ctx context.Context, page int) (*overview, error) {
	o := &overview{API: c.apiState()}
	if err := c.readAccount(ctx, o); err != nil {
		return nil, err
	}
	if err := c.readAttention(ctx, o); err != nil {
		return nil, err
	}
	names, err := c.Journal.CampaignNames(ctx)
	if err != nil {
		return nil, err
	}
	o.All, o.Pages = len(names), max(1, (len(names)+campaignsShown-1)/campaignsShown)
	o.Page = min(max(1, page), o.Pages)
	first := (o.Page - 1) * campaignsShown
	names = names[first:min(first+campaignsShown, len(names))]
	if err := c.readCampaigns(ctx, o, names); err != nil {
		return nil, err
	}
	return o, c.readOperations(ctx, o, names)
}

func (c *console) readAccount(ctx context.Context, o *overview) (err error) {
	if o.Stopped, err = c.Journal.Stopped(ctx); err != nil {
		return err
	}
	frozen, err := c.Journal.Frozen(ctx)
	if err != nil {
		return err
	}
	o.Frozen = len(frozen) > 0
	if o.Account, err = c.Journal.Account(ctx); err != nil {
		return err
	}
	counts, err := c.Journal.Counts(ctx, "")
	if err != nil {
		return err
	}
	for _, s := range planner.States() {
		if counts[s] != 0 {
			o.Counts = append(o.Counts, stateCount{s, counts[s]})
		}
	}
	o.MoreParked = counts[planner.Parked]
	return nil
}

// readAttention reads what a person has to look at. Parked operations are kept
// by when they were to be looked at next, which may lie ahead.
func (c *console) readAttention(ctx context.Context, o *overview) (err error) {
	if o.Alerts, err = c.Journal.Alerts(ctx); err != nil {
		return err
	}
	if o.Closed, err = c.Journal.ClosedScopes(ctx, c.specs, c.Now()); err != nil {
		return err
	}
	ids, err := c.Journal.Open(ctx, planner.Parked, c.Now().AddDate(100, 0, 0), parkedShown)
	if err != nil {
		return err
	}
	if o.Parked, err = c.Journal.Load(ctx, ids); err != nil {
		return err
	}
	o.MoreParked = max(0, o.MoreParked-len(o.Parked))
	return nil
}

// readCampaigns reads the named campaigns with their budgets and jobs.
func (c *console) readCampaigns(ctx context.Context, o *overview, names []string) error {
	limits, err := c.limits(ctx, names)
	if err != nil {
		return err
	}
	if o.Budgets, err = c.Journal.Budgets(ctx, limits); err != nil {
		return err
	}
	byScope := map[string]journal.Budget{}
	for _, b := range o.Budgets {
		byScope[b.Scope] = b
	}
	for _, name := range names {
		spec := c.specs.Get(name)
		if spec == nil {
			continue
		}
		jobs, err := c.Journal.Jobs(ctx, name)
		if err != nil {
			return err
		}
		tally, err := journal.TallyOf(jobs)
		if err != nil {
			return fmt.Errorf("campaign %s: %w", name, err)
		}
		row := campaignRow{
			Tally: tally, Name: name, State: spec.State, Reason: spec.Reason, Budget: byScope[journal.CampaignScope(name)],
		}
		if err := c.readNext(ctx, spec, &row); err != nil {
			return err
		}
		o.Campaigns = append(o.Campaigns, row)
		o.Jobs = append(o.Jobs, jobs...)
	}
	if len(o.Jobs) > jobsShown {
		slices.SortStableFunc(o.Jobs, func(a, b journal.Job) int { return rank(a) - rank(b) })
		o.MoreJobs = len(o.Jobs) - jobsShown
		o.Jobs = o.Jobs[:jobsShown]
	}
	return nil
}

// rank puts jobs that still run before those that do not.
func rank(job journal.Job) int {
	if job.View().Online {
		return 0
	}
	return 1
}

// readNext finds the occurrence that comes first of a campaign that runs.
func (c *console) readNext(ctx context.Context, spec *journal.Spec, row *campaignRow) error {
	if spec.State != journal.Active {
		return nil
	}
	var ids []string
	for i := range spec.Spec.Actions {
		a := &spec.Spec.Actions[i]
		row.WaitsForEvents = row.WaitsForEvents || a.Waits()
		ids = append(ids, a.ID)
	}
	entries, err := c.Journal.Entries(ctx, row.Name, ids)
	if err != nil {
		return err
	}
	for _, e := range entries {
		a := spec.Action(e.Action)
		if a == nil || a.Now {
			continue
		}
		schedule, err := spec.Schedule(a)
		if err != nil {
			// One stored spec that cannot be read takes the page from nobody.
			c.Log.WarnContext(ctx, "a stored schedule cannot be read", "campaign", row.Name, "action", a.ID, "err", err)
			row.NextAction = a.ID + ": its schedule cannot be read"
			return nil
		}
		slot, ok := schedule.Next(e.Watermark)
		if fire := schedule.FireAt(slot, row.Name+"/"+a.ID); ok && (row.Next.IsZero() || fire.Before(row.Next)) {
			row.Next, row.NextAction = fire, a.ID
		}
	}
	return nil
}

// readOperations reads the newest operations: all of them, or where there are
// many campaigns those of the campaigns shown.
func (c *console) readOperations(ctx context.Context, o *overview, names []string) error {
	if o.Pages == 1 {
		names = []string{""}
	}
	for _, name := range names {
		ops, err := c.Journal.Ops(ctx, journal.Filter{Campaign: name, Most: operationsShown})
		if err != nil {
			return err
		}
		o.Operations = append(o.Operations, ops...)
	}
	slices.SortStableFunc(o.Operations, func(a, b *journal.Op) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	o.Operations = o.Operations[:min(len(o.Operations), operationsShown)]
	return nil
}

// spent is what counts against a budget: committed, reserved and unknown.
func spent(b journal.Budget) money.USD { return b.Committed() + b.Reserved + b.Unknown }
