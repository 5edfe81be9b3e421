package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Backfill is what running an action's slots of a range would do.
type Backfill struct {
	Campaign string         `json:"campaign"`
	Action   string         `json:"action"`
	Slots    []BackfillSlot `json:"slots"`
	// New is how many of the slots are to run.
	New int `json:"new"`
	// Cost is what they cost in USD; nil where a price is not known.
	Cost *money.USD `json:"cost"`
	// Headroom is what the campaign's own budget has left; nil without one.
	Headroom *money.USD `json:"headroom"`
	Warnings []string   `json:"warnings"`
	// Started tells that the slots were asked for.
	Started bool `json:"started"`
}

// BackfillSlot is one slot of the range.
type BackfillSlot struct {
	Upcoming
	// State is "to run", "waiting" where it was asked for before, or else the
	// states of the operations that the slot has already: it is not repeated.
	State string `json:"state"`
}

// toRun is the state of a slot that is to run.
const toRun = "to run"

// maxBackfill is how many slots one backfill covers.
const maxBackfill = 1000

// PlanBackfill tells which slots of an action lie from one time to another, both
// included, which of them ran already, and what the others cost. Times are read
// as in a spec, in the action's zone.
func (o *Operator) PlanBackfill(ctx context.Context, campaign, id, from, to string) (*Backfill, error) {
	reg, err := o.running(ctx, campaign)
	if err != nil {
		return nil, err
	}
	a, err := action(reg.Spec, id)
	if err != nil {
		return nil, err
	}
	slots, err := slotsBetween(a, from, to)
	if err != nil {
		return nil, err
	}
	b := &Backfill{Campaign: campaign, Action: id, Slots: []BackfillSlot{}, Cost: new(money.USD), Warnings: []string{}}
	return b, o.fillIn(ctx, b, reg.Spec, a, slots)
}

// slotsBetween are an action's slots in a range.
func slotsBetween(a *campaigns.Action, from, to string) ([]time.Time, error) {
	if a.Do == campaigns.DoRate {
		return nil, fmt.Errorf("%s looks at the applications there are now, whatever its slot: use `enqueue rate` or `enqueue run`", a.ID)
	}
	if !timed(a) {
		return nil, fmt.Errorf("%s has no times of its own and so no slots: use `enqueue run`", a.ID)
	}
	zone := a.Timezone
	first, err := campaigns.ParseMoment(from, zone, false)
	if err != nil {
		return nil, &SpecError{"--from: " + err.Error()}
	}
	last, err := campaigns.ParseMoment(to, zone, true)
	if err != nil {
		return nil, &SpecError{"--to: " + err.Error()}
	}
	if last.Before(first) {
		return nil, &SpecError{"--to is before --from"}
	}
	s, err := a.Schedule()
	if err != nil {
		return nil, err
	}
	var slots []time.Time
	for cursor := first.Add(-time.Nanosecond); ; {
		slot, ok := s.Next(cursor)
		if !ok || slot.After(last) {
			break
		}
		if len(slots) == maxBackfill {
			return nil, &SpecError{fmt.Sprintf("there are more than %d slots from %s to %s: ask for a part of them", maxBackfill, from, to)}
		}
		slots, cursor = append(slots, slot), slot
	}
	if len(slots) == 0 {
		return nil, fmt.Errorf("%s has no slot from %s to %s: %w", a.ID, from, to, ErrNothing)
	}
	return slots, nil
}

// fillIn tells what becomes of each slot.
func (o *Operator) fillIn(ctx context.Context, b *Backfill, c *campaigns.Campaign, a *campaigns.Action, slots []time.Time) error {
	ran, err := o.Journal.SlotStates(ctx, c.Name, a.ID, slots[0], slots[len(slots)-1])
	if err != nil {
		return err
	}
	waiting, err := o.Journal.Backfilling(ctx, c.Name, a.ID, 0)
	if err != nil {
		return err
	}
	states := map[time.Time]string{}
	for _, slot := range waiting {
		states[slot] = "waiting"
	}
	for slot, ops := range ran {
		states[slot] = inWords(ops)
	}
	var rows []planner.Coming
	for _, slot := range slots {
		if states[slot] == "" {
			rows = append(rows, coming(c, a, slot))
			continue
		}
		b.Slots = append(b.Slots, BackfillSlot{upcoming(c, coming(c, a, slot)), states[slot]})
	}
	b.New = len(rows)
	quotes := &Plan{offline: o.Market == nil}
	prices := newPricer(ctx, o, quotes)
	err = o.foresee(ctx, prices, c, rows, func(row planner.Coming) {
		b.Slots = append(b.Slots, BackfillSlot{upcoming(c, row), toRun})
		b.Cost = sum(b.Cost, row.Cost)
	})
	if err != nil || prices.err != nil {
		return firstOf(err, prices.err)
	}
	b.Warnings = append(b.Warnings, quotes.Warnings...)
	slices.SortFunc(b.Slots, func(x, y BackfillSlot) int { return x.Slot.Compare(y.Slot) })
	return o.room(ctx, b, c)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// room compares the cost with what the campaign's own budget has left.
func (o *Operator) room(ctx context.Context, b *Backfill, c *campaigns.Campaign) error {
	if c.Budget == nil {
		return nil
	}
	have, err := o.Journal.Budget(ctx, journal.Limits(c, o.Now())[0])
	if err != nil {
		return err
	}
	left := showBudget(have, c.Source).Headroom
	b.Headroom = &left
	if b.Cost != nil && *b.Cost > left {
		b.Warnings = append(b.Warnings, fmt.Sprintf("the budget of %s has %s USD left, and this costs %s: what does not fit is skipped", c.Name, left, *b.Cost))
	}
	return nil
}

// inWords tells in which states operations are.
func inWords(ops map[planner.State]int) string {
	var words []string
	for _, s := range slices.Sorted(maps.Keys(ops)) {
		words = append(words, fmt.Sprintf("%d %s", ops[s], s))
	}
	return strings.Join(words, ", ")
}

// StartBackfill asks for the slots of a backfill that are to run. The scheduler
// plans them, oldest first, under the same budgets and overlap rules as any
// other; asked for twice, a slot runs once.
func (o *Operator) StartBackfill(ctx context.Context, b *Backfill) error {
	var slots []time.Time
	for _, s := range b.Slots {
		if s.State == toRun {
			slots = append(slots, s.Slot)
		}
	}
	if _, err := o.Journal.Backfill(ctx, o.Now(), b.Campaign, b.Action, slots); err != nil {
		return err
	}
	b.Started = true
	return nil
}
