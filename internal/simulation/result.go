package simulation

import (
	"cmp"
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

// Result is what became of the campaigns. Money is in USD.
type Result struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Seed uint64    `json:"seed"`
	// Operations counts them by state.
	Operations map[planner.State]int `json:"operations"`
	Campaigns  []Campaign            `json:"campaigns"`
	// Days has a row for each campaign and day on which something happened.
	Days []Day `json:"days"`
	// Occurrences are those that became operations, by time.
	Occurrences []Occurrence `json:"occurrences"`
	// Reached are the limits of money that were reached, by time.
	Reached []Reached `json:"reached"`
	// Balance is what the account holds in the end.
	Balance money.USD `json:"balance"`
}

// Campaign is one campaign's whole.
type Campaign struct {
	Name     string    `json:"name"`
	Jobs     int       `json:"jobs"`
	Seats    int       `json:"seats"`
	Filled   int       `json:"filled"`
	Charged  money.USD `json:"charged"`
	Refunded money.USD `json:"refunded"`
	// Net is charged less refunded.
	Net money.USD `json:"net"`
}

// Day is what a campaign did on a day of its own zone.
type Day struct {
	// Date is as in 2026-12-01.
	Date     string `json:"date"`
	Campaign string `json:"campaign"`
	// Operations is how many were settled as applied.
	Operations int       `json:"operations"`
	Charged    money.USD `json:"charged"`
	Refunded   money.USD `json:"refunded"`
	Net        money.USD `json:"net"`
}

// Occurrence is one slot of an action.
type Occurrence struct {
	Slot     time.Time             `json:"slot"`
	Campaign string                `json:"campaign"`
	Action   string                `json:"action"`
	Kind     planner.Kind          `json:"kind"`
	States   map[planner.State]int `json:"operations"`
	Cost     money.USD             `json:"cost"`
}

// result reads the books.
func (w *world) result(ctx context.Context) (*Result, error) {
	r := &Result{
		From: w.cfg.From.UTC(), To: w.end.UTC(), Seed: w.cfg.Seed, Balance: w.market.Books().Balance,
		Campaigns: []Campaign{}, Reached: []Reached{},
	}
	var err error
	if r.Operations, err = w.journal.Counts(ctx, ""); err != nil {
		return nil, err
	}
	t := &tally{days: map[[2]string]*Day{}, slots: map[string]*Occurrence{}, whole: map[string]*Campaign{}, zones: map[string]*time.Location{}}
	for _, f := range w.cfg.Files {
		for i := range f.Campaigns {
			if err := w.readCampaign(ctx, &f.Campaigns[i], t); err != nil {
				return nil, err
			}
		}
	}
	if err := w.readLedger(ctx, t); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.whole)) {
		r.Campaigns = append(r.Campaigns, *t.whole[name])
	}
	r.Days, r.Occurrences = t.sorted()
	for _, limit := range w.caps.reached {
		r.Reached = append(r.Reached, *limit)
	}
	return r, nil
}

// tally adds up the books by day, by occurrence and by campaign.
type tally struct {
	days  map[[2]string]*Day
	slots map[string]*Occurrence
	whole map[string]*Campaign
	zones map[string]*time.Location
}

func (w *world) readCampaign(ctx context.Context, c *campaigns.Campaign, t *tally) error {
	whole := &Campaign{Name: c.Name}
	t.whole[c.Name] = whole
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return fmt.Errorf("campaign %s: %w", c.Name, err)
	}
	jobs, err := w.journal.Jobs(ctx, c.Name)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		whole.Jobs++
		whole.Seats += job.Seats
		whole.Filled += job.Filled()
	}
	ops, err := w.journal.Ops(ctx, journal.Filter{Campaign: c.Name})
	if err != nil {
		return err
	}
	t.zones[c.Name] = zone
	for _, op := range ops {
		t.count(op, zone)
	}
	return nil
}

// readLedger adds up the money of each campaign. Entries of jobs that were made
// beforehand, to be adopted, are in no ledger.
func (w *world) readLedger(ctx context.Context, t *tally) error {
	entries, err := w.journal.Ledger(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, _, _ := strings.Cut(e.OpID, "/")
		whole := t.whole[name]
		if whole == nil {
			continue
		}
		day := t.day(name, e.At, t.zones[name])
		if e.Kind == "refund" {
			day.Refunded += e.Amount
			whole.Refunded += e.Amount
		} else {
			day.Charged += e.Amount
			whole.Charged += e.Amount
		}
		day.Net, whole.Net = day.Charged-day.Refunded, whole.Charged-whole.Refunded
	}
	return nil
}

func (t *tally) count(op *journal.Op, zone *time.Location) {
	if op.State == planner.Applied {
		t.day(op.Campaign, op.SettledAt, zone).Operations++
	}
	key := op.Action + "/" + op.Slot.Format(time.RFC3339Nano)
	o := t.slots[op.Campaign+"/"+key]
	if o == nil {
		o = &Occurrence{Slot: op.Slot, Campaign: op.Campaign, Action: op.Action, Kind: op.Kind, States: map[planner.State]int{}}
		t.slots[op.Campaign+"/"+key] = o
	}
	o.States[op.State]++
	if op.Cost != nil {
		o.Cost += *op.Cost
	}
}

func (t *tally) day(campaign string, at time.Time, zone *time.Location) *Day {
	key := [2]string{at.In(zone).Format(time.DateOnly), campaign}
	if t.days[key] == nil {
		t.days[key] = &Day{Date: key[0], Campaign: campaign}
	}
	return t.days[key]
}

// sorted are the days and the occurrences in order of time.
func (t *tally) sorted() ([]Day, []Occurrence) {
	days := make([]Day, 0, len(t.days))
	for _, d := range t.days {
		days = append(days, *d)
	}
	slices.SortFunc(days, func(a, b Day) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Campaign, b.Campaign))
	})
	occurrences := make([]Occurrence, 0, len(t.slots))
	for _, key := range slices.Sorted(maps.Keys(t.slots)) {
		occurrences = append(occurrences, *t.slots[key])
	}
	slices.SortStableFunc(occurrences, func(a, b Occurrence) int { return a.Slot.Compare(b.Slot) })
	return days, occurrences
}
