package planner

import (
	"cmp"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Ahead is one campaign's outlook with what it owes.
type Ahead struct {
	Outlook
	Due     []Operation
	Waiting []Coming
}

// Follow finds the slots in which actions come that follow others, of all
// campaigns together, and writes them to the outlooks.
func Follow(all []Ahead) error {
	parents := map[string]string{}
	slots := map[string][]time.Time{}
	for i := range all {
		c := all[i].Campaign
		for k := range c.Actions {
			if after := c.Actions[k].After; after != nil {
				parents[c.Name+"/"+c.Actions[k].ID] = after.Campaign + "/" + after.Action
				slots[after.Campaign+"/"+after.Action] = nil
			}
		}
	}
	if len(parents) == 0 {
		return nil
	}
	for i := range all {
		if err := all[i].slotsOf(slots); err != nil {
			return err
		}
	}
	for child := range parents {
		first := child
		for parents[first] != "" {
			first = parents[first]
		}
		slots[child] = slots[first]
	}
	for i := range all {
		all[i].Slots = slots
	}
	return nil
}

// slotsOf adds the slots of the campaign's actions that others follow.
func (a *Ahead) slotsOf(slots map[string][]time.Time) error {
	name := a.Campaign.Name
	if !slices.ContainsFunc(a.Campaign.Actions, func(a campaigns.Action) bool {
		_, followed := slots[name+"/"+a.ID]
		return followed
	}) {
		return nil
	}
	rows, _, err := a.occurrences()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	add := func(action string, slot time.Time) {
		key := name + "/" + action
		if id := NewID(name, action, "", slot); !seen[id] {
			seen[id] = true
			if _, followed := slots[key]; followed {
				slots[key] = append(slots[key], slot)
			}
		}
	}
	for _, op := range a.Due {
		add(op.Action, op.Slot)
	}
	for _, row := range slices.Concat(a.Waiting, rows) {
		add(row.Action, row.Slot)
	}
	return nil
}

// chained adds the occurrences that follow others, each behind what it follows.
func (o *Outlook) chained(rows []Coming) []Coming {
	if o.Slots == nil {
		return rows
	}
	for _, a := range o.followers() {
		for _, slot := range o.Slots[o.Campaign.Name+"/"+a.ID] {
			rows = append(rows, Coming{Campaign: o.Campaign.Name, Action: a.ID, Kind: Kind(a.Do), Slot: slot})
		}
	}
	slices.SortStableFunc(rows, func(a, b Coming) int { return cmp.Compare(a.Slot.Unix(), b.Slot.Unix()) })
	return rows
}

// followers are the campaign's actions that follow others, in the order in which
// they follow each other.
func (o *Outlook) followers() []*campaigns.Action {
	var out []*campaigns.Action
	byID := map[string]*campaigns.Action{}
	for i := range o.Campaign.Actions {
		a := &o.Campaign.Actions[i]
		byID[a.ID] = a
		if a.After != nil {
			out = append(out, a)
		}
	}
	depth := func(a *campaigns.Action) (n int) {
		for a != nil && a.After != nil && a.After.Campaign == o.Campaign.Name {
			a = byID[a.After.Action]
			n++
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b *campaigns.Action) int { return depth(a) - depth(b) })
	return out
}
