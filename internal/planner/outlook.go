package planner

import (
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Outlook is what a look ahead at one campaign starts from.
type Outlook struct {
	Campaign *campaigns.Campaign
	// Jobs are those that the campaign owns.
	Jobs []Job
	// Marks are the watermarks of its actions by id. An action without one
	// starts from Now, as it does when it is registered.
	Marks map[string]time.Time
	// Done are the `now` actions that have had their one occurrence.
	Done map[string]bool
	// Until is the end of the horizon, included.
	Now, Until time.Time
	// Slots are those of the actions that follow others, by campaign and action,
	// as Follow found them; nil where none does.
	Slots map[string][]time.Time
	// Price is what seats for one item cost in USD, and whether that is known;
	// nil where nobody asked. It is called for kinds that buy.
	Price func(kind Kind, item string, job int64, seats int) (money.USD, bool)
}

// Coming is an occurrence of an action that is still to come.
type Coming struct {
	Campaign, Action string
	Kind             Kind
	Slot             time.Time
	// Items is how many jobs it makes or acts on.
	Items int
	// Cost is in USD; nil where a price is not known.
	Cost *money.USD
	// Note tells that clocks change around it; Warnings fills it in.
	Note string
}

// maxComing is how many occurrences of one action a forecast shows.
const maxComing = 2_000

func (o *Outlook) mark(a *campaigns.Action) time.Time {
	if t, ok := o.Marks[a.ID]; ok {
		return t
	}
	return o.Now
}

// Owed are the operations that a campaign owes at Now. A `now` action that
// waits for jobs yet to be made has an occurrence in waiting instead.
func (o *Outlook) Owed(grace time.Duration) (owed []Operation, waiting []Coming, err error) {
	for i := range o.Campaign.Actions {
		a := &o.Campaign.Actions[i]
		slots, err := o.owedSlots(a, grace)
		if err != nil {
			return nil, nil, err
		}
		for _, slot := range slots {
			ops := Expand(o.Campaign, a, slot, o.Jobs)
			owed = append(owed, ops...)
			if a.Now && len(ops) == 0 {
				waiting = append(waiting, Coming{
					Campaign: o.Campaign.Name, Action: a.ID, Kind: Kind(a.Do), Slot: slot.UTC().Truncate(time.Second),
				})
			}
		}
	}
	return owed, waiting, nil
}

func (o *Outlook) owedSlots(a *campaigns.Action, grace time.Duration) ([]time.Time, error) {
	switch {
	case a.Waits(), a.Now && o.Done[a.ID]:
		return nil, nil
	case a.Now:
		return []time.Time{o.mark(a)}, nil
	}
	s, err := a.Schedule()
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", o.Campaign.Name, a.ID, err)
	}
	return DueSlots(a, s, o.Campaign.Name+"/"+a.ID, o.mark(a), o.Now, grace).Run, nil
}
