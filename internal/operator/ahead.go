package operator

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// ahead gathers what is to come of all campaigns of a plan.
type ahead struct {
	p      *Plan
	prices *pricer
	// rows are what costs money, by campaign: due now, then upcoming.
	rows map[string][]planner.Coming
	// total sums what is due; it is nil once a price is not known.
	total, later *money.USD
}

// lookAhead fills in the operations that are due and the occurrences to come.
func (o *Operator) lookAhead(ctx context.Context, p *Plan, st *state, opt Options) error {
	a := &ahead{p: p, prices: newPricer(ctx, o, p), rows: map[string][]planner.Coming{}, total: new(money.USD), later: new(money.USD)}
	looks, err := o.looks(ctx, a, st, opt)
	if err != nil {
		return err
	}
	for i := range looks {
		if err := a.forecast(&looks[i]); err != nil {
			return err
		}
		if a.prices.err != nil {
			return a.prices.err
		}
	}
	for source, teams := range p.teams {
		for _, op := range planner.SyncTeams(source, teams, teamDigest, o.Now()) {
			p.Operations = append(p.Operations, planned(&op))
		}
	}
	slices.SortStableFunc(p.Upcoming, func(a, b Upcoming) int { return cmp.Compare(a.Slot.Unix(), b.Slot.Unix()) })
	p.Cost, p.UpcomingCost = a.total, a.later
	return o.foreseeBudgets(ctx, a)
}

// looks are what the forecasts of the campaigns that run start from.
func (o *Operator) looks(ctx context.Context, a *ahead, st *state, opt Options) ([]planner.Ahead, error) {
	var looks []planner.Ahead
	for _, d := range a.p.diffs {
		if d.Spec == nil {
			continue
		}
		if d.Change != planner.ChangeNew && st.heads[d.Name].State == journal.Paused {
			a.p.warn("campaign %s is paused: nothing of it runs until `enqueue resume %s`", d.Name, d.Name)
			continue
		}
		look := planner.Ahead{Outlook: o.outlook(d, st, opt)}
		look.Price = a.prices.of(d.Spec)
		owed, waiting, err := look.Owed(o.Grace)
		if err != nil {
			return nil, err
		}
		if look.Due, err = o.notHeld(ctx, owed, d, st); err != nil {
			return nil, err
		}
		look.Waiting = waiting
		looks = append(looks, look)
	}
	return looks, planner.Follow(looks)
}

// forecast adds what is due and what is to come of one campaign.
func (a *ahead) forecast(look *planner.Ahead) error {
	rows, cut, err := planner.Forecast(look.Outlook, look.Due, look.Waiting)
	if err != nil {
		return err
	}
	name := look.Campaign.Name
	for _, action := range cut {
		a.p.warn("%s/%s occurs very often: only the first occurrences are shown", name, action)
	}
	a.p.Warnings = append(a.p.Warnings, planner.Warnings(look.Outlook, rows)...)
	a.addOwed(look.Outlook, look.Due)
	a.addUpcoming(look.Campaign, rows)
	return nil
}

// notHeld leaves out the operations that exist already.
func (o *Operator) notHeld(ctx context.Context, ops []planner.Operation, d planner.Difference, st *state) ([]planner.Operation, error) {
	if len(ops) == 0 || len(st.marks[d.Name]) == 0 {
		return ops, nil
	}
	ids := make([]string, len(ops))
	for i := range ops {
		ids[i] = ops[i].ID
	}
	held, err := o.Journal.Held(ctx, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ops, func(op planner.Operation) bool { return held[op.ID] }), nil
}

// addOwed adds what is due of a campaign, with its prices.
func (a *ahead) addOwed(look planner.Outlook, owed []planner.Operation) {
	if len(owed) == 0 {
		return
	}
	a.p.due[look.Campaign.Name] = true
	seats := make(map[int64]int, len(look.Jobs))
	for _, j := range look.Jobs {
		seats[j.ID] = j.Seats
	}
	cost := new(money.USD)
	for i := range owed {
		op := &owed[i]
		row := planned(op)
		if op.Kind.Paying() {
			n := op.Seats
			if op.UpTo > 0 {
				n = max(0, op.UpTo-seats[op.JobID])
			}
			row.Quote = known(look.Price(op.Kind, op.Item, op.JobID, n))
			cost = sum(cost, row.Quote)
		}
		a.p.Operations = append(a.p.Operations, row)
	}
	a.total = sum(a.total, cost)
	a.rows[look.Campaign.Name] = append(a.rows[look.Campaign.Name], planner.Coming{Slot: look.Now, Cost: cost})
}

func known(cost money.USD, ok bool) *money.USD {
	if !ok {
		return nil
	}
	return &cost
}

// sum is nil where one of the two is not known.
func sum(a, b *money.USD) *money.USD {
	if a == nil || b == nil {
		return nil
	}
	s := *a + *b
	return &s
}

func (a *ahead) addUpcoming(c *campaigns.Campaign, rows []planner.Coming) {
	for _, r := range rows {
		a.p.Upcoming = append(a.p.Upcoming, upcoming(c, r))
		a.later = sum(a.later, r.Cost)
	}
	a.rows[c.Name] = append(a.rows[c.Name], rows...)
}

// foreseeBudgets fills in the budgets and warns of those that will not do.
func (o *Operator) foreseeBudgets(ctx context.Context, a *ahead) error {
	var known []*campaigns.Campaign
	for _, d := range a.p.diffs {
		if d.Spec == nil || (d.Spec.Budget == nil && d.Spec.FileBudget == nil) {
			continue
		}
		if _, registered := a.p.heads[d.Name]; registered {
			known = append(known, d.Spec)
		}
	}
	budgets, err := o.budgetsOf(ctx, known)
	if err != nil {
		return err
	}
	have := make(map[string]Budget, len(budgets))
	for _, b := range budgets {
		have[b.Scope+"\x00"+b.Source] = b
	}
	now := o.Now().UTC()
	for _, d := range a.p.diffs {
		if d.Spec != nil && d.Spec.Budget != nil {
			b := standing(have, d.Name, d.Spec.Source, d.Spec.Budget, now)
			a.foresee(b, d.Spec.Budget, "budget of "+d.Name, a.rows[d.Name], now)
		}
	}
	for _, f := range a.p.files {
		if f.Budget == nil {
			continue
		}
		b := standing(have, scopeAccount, f.Source, f.Budget, now)
		a.foresee(b, f.Budget, "budget of "+f.Source, a.rowsOf(f), now)
	}
	a.foreseeBalance()
	return nil
}

// standing is a budget as it stands; one that was never used is whole.
func standing(have map[string]Budget, scope, source string, b *campaigns.Budget, now time.Time) Budget {
	if row, found := have[scope+"\x00"+source]; found {
		return row
	}
	return Budget{Scope: scope, Source: source, Window: b.WindowAt(now), Cap: b.Cap, PauseAt: orNil(b.PauseAt), Headroom: b.Cap}
}

func (a *ahead) rowsOf(f *campaigns.File) []planner.Coming {
	var rows []planner.Coming
	for i := range f.Campaigns {
		rows = append(rows, a.rows[f.Campaigns[i].Name]...)
	}
	slices.SortStableFunc(rows, func(a, b planner.Coming) int { return a.Slot.Compare(b.Slot) })
	return rows
}

// foresee shows a budget and warns of the first purchase that does not fit.
func (a *ahead) foresee(b Budget, spec *campaigns.Budget, name string, rows []planner.Coming, now time.Time) {
	a.p.Budgets = append(a.p.Budgets, b)
	if b.Paused {
		a.p.warn("the %s reached its threshold and is closed: purchases are skipped until `enqueue resume`", name)
		return
	}
	if spec.PauseAt > 0 && spec.Measure == campaigns.MeasureCommitted {
		// The threshold closes on reaching it, the cap on passing it.
		left := spec.PauseAt - b.Committed - 1
		if at, reached := planner.Exhausted(spec, left, spec.PauseAt-1, now, rows); reached {
			a.p.warn("the %s reaches %s of %s USD on %s: then its jobs are paused", name, spec.PauseAt, spec.Cap, day(at))
			return
		}
	}
	if at, reached := planner.Exhausted(spec, b.Headroom, spec.Cap, now, rows); reached {
		a.p.warn("the %s of %s USD does not cover what comes on %s: what does not fit is skipped", name, spec.Cap, day(at))
	}
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// foreseeBalance warns of an account that cannot pay for what is due.
func (a *ahead) foreseeBalance() {
	if a.p.Balance == nil || a.total == nil || *a.total == 0 {
		return
	}
	least := money.USD(0)
	for _, f := range a.p.files {
		least = max(least, f.MinBalance)
	}
	if left := *a.p.Balance - *a.total; left < least {
		a.p.warn("the account holds %s USD, and what is due costs %s: %s would be left, less than the minimum of %s",
			*a.p.Balance, *a.total, left, least)
	}
}
