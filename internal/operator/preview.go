package operator

import (
	"context"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Preview is what would run at once if a campaign went on.
type Preview struct {
	// Slots are those that passed and will run, by catch_up; Dropped is how many
	// it leaves out (of each action 10,000 at most).
	Slots   []Upcoming `json:"slots"`
	Dropped int        `json:"dropped"`
	// Cost is what the slots cost in USD; nil where a price is not known.
	Cost *money.USD `json:"cost"`
	// Warnings say what could not be priced.
	Warnings []string `json:"warnings"`
}

// Preview tells which slots will run once a campaign goes on, and what they
// cost; "" asks for all campaigns that no person paused. Without a marketplace
// to ask, costs are not known.
func (o *Operator) Preview(ctx context.Context, name string) (*Preview, error) {
	var regs []*journal.Registered
	if name != "" {
		reg, err := o.Campaign(ctx, name)
		if err != nil {
			return nil, err
		}
		regs = append(regs, reg)
	} else {
		all, err := o.registered(ctx)
		if err != nil {
			return nil, err
		}
		regs = slices.DeleteFunc(all, func(r *journal.Registered) bool { return r.State != journal.Active })
	}
	pv := &Preview{Slots: []Upcoming{}, Cost: new(money.USD), Warnings: []string{}}
	specs := make([]*campaigns.Campaign, len(regs))
	for i, reg := range regs {
		specs[i] = reg.Spec
	}
	marks, err := o.Journal.Marks(ctx, specs)
	if err != nil {
		return nil, err
	}
	quotes := &Plan{offline: o.Market == nil}
	prices := newPricer(ctx, o, quotes)
	for _, c := range specs {
		if err := o.preview(ctx, pv, prices, c, marks[c.Name]); err != nil {
			return nil, err
		}
	}
	if prices.err != nil {
		quotes.warn("%v", prices.err)
	}
	pv.Warnings = append(pv.Warnings, quotes.Warnings...)
	return pv, nil
}

func (o *Operator) preview(ctx context.Context, pv *Preview, prices *pricer, c *campaigns.Campaign, marks map[string]journal.Mark) error {
	now := o.Now().UTC()
	var rows []planner.Coming
	for i := range c.Actions {
		a := &c.Actions[i]
		mark, known := marks[a.ID]
		if !known || mark.Over || !timed(a) {
			continue
		}
		s, err := a.Schedule()
		if err != nil {
			return err
		}
		due := planner.DueSlots(a, s, c.Name+"/"+a.ID, mark.Watermark, now, o.Grace)
		pv.Dropped += due.Missed
		for _, slot := range due.Run {
			rows = append(rows, coming(c, a, slot))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return o.foresee(ctx, prices, c, rows, func(row planner.Coming) {
		pv.Slots = append(pv.Slots, upcoming(c, row))
		pv.Cost = sum(pv.Cost, row.Cost)
	})
}

func coming(c *campaigns.Campaign, a *campaigns.Action, slot time.Time) planner.Coming {
	return planner.Coming{Campaign: c.Name, Action: a.ID, Kind: planner.Kind(a.Do), Slot: slot}
}

// foresee fills in the items and costs of occurrences, oldest first, and hands
// each to a function.
func (o *Operator) foresee(ctx context.Context, prices *pricer, c *campaigns.Campaign, rows []planner.Coming, each func(planner.Coming)) error {
	jobs, err := o.Journal.Jobs(ctx, c.Name)
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b planner.Coming) int { return a.Slot.Compare(b.Slot) })
	look := planner.Outlook{Campaign: c, Jobs: journal.Views(jobs), Now: o.Now().UTC(), Price: prices.of(c)}
	look.Foresee(rows)
	for _, row := range rows {
		each(row)
	}
	return nil
}
