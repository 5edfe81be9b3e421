package planner

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Warnings are what a person should know of a campaign's times before it runs:
// actions that will never run, and slots that fall where clocks change.
func Warnings(o Outlook, rows []Coming) []string {
	var out []string
	for i := range o.Campaign.Actions {
		a := &o.Campaign.Actions[i]
		if w := o.never(a); w != "" {
			out = append(out, w)
		}
		if a.Cron != "" {
			out = append(out, o.clocks(a, rows)...)
		}
	}
	return out
}

// never tells of an action that has no slot left.
func (o *Outlook) never(a *campaigns.Action) string {
	if a.Now || a.On != "" {
		return ""
	}
	s, err := a.Schedule()
	if err != nil {
		return ""
	}
	if _, ok := s.Next(o.mark(a)); ok {
		return ""
	}
	if a.At != nil {
		return fmt.Sprintf("%s/%s: its time, %s, has passed: it will not run", o.Campaign.Name, a.ID, a.At.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("%s/%s: no occurrence is left", o.Campaign.Name, a.ID)
}

// clocks tells of the slots of an action on which clocks change.
func (o *Outlook) clocks(a *campaigns.Action, rows []Coming) []string {
	zone := location(a.Timezone)
	if zone == nil {
		return nil
	}
	changes := transitions(zone, o.Now, o.Until)
	if len(changes) == 0 {
		return nil
	}
	var out []string
	for _, row := range rows {
		if row.Action != a.ID {
			continue
		}
		for _, c := range changes {
			if w := c.affects(row.Slot, zone); w != "" {
				out = append(out, fmt.Sprintf("%s/%s: %s", o.Campaign.Name, a.ID, w))
			}
		}
	}
	return slices.Compact(out)
}

// zones keeps what time.LoadLocation would read from disk for each action.
var zones sync.Map

// location is a zone in which clocks may change, or nil.
func location(name string) *time.Location {
	if name == "" || name == "UTC" {
		return nil
	}
	if kept, ok := zones.Load(name); ok {
		zone, _ := kept.(*time.Location)
		return zone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		zone = nil
	}
	zones.Store(name, zone)
	return zone
}

// transition is a change of clocks: forward where by is positive.
type transition struct {
	at time.Time
	by time.Duration
}

func transitions(zone *time.Location, from, until time.Time) []transition {
	var out []transition
	for t := from.In(zone); ; {
		_, end := t.ZoneBounds()
		if end.IsZero() || end.After(until) {
			return out
		}
		_, before := t.Zone()
		_, after := end.Zone()
		if before != after {
			out = append(out, transition{end, time.Duration(after-before) * time.Second})
		}
		t = end
	}
}

func (c transition) affects(slot time.Time, zone *time.Location) string {
	local := slot.In(zone).Format("2006-01-02 15:04 MST")
	switch {
	case c.by > 0 && slot.Equal(c.at):
		return fmt.Sprintf("clocks in %s leap forward: a time that does not exist runs at %s", zone, local)
	case c.by < 0 && !slot.Before(c.at.Add(c.by)) && slot.Before(c.at.Add(-c.by)):
		return fmt.Sprintf("clocks in %s go back: a time that comes twice runs once, at %s", zone, local)
	}
	return ""
}
