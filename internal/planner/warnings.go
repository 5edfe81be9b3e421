package planner

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Warnings are what a person should know of a campaign's times before it runs:
// actions that will never run, and local times that clocks leap over or show
// twice; the rows that run for such times get a note.
func Warnings(o Outlook, rows []Coming) []string {
	var out []string
	for i := range o.Campaign.Actions {
		a := &o.Campaign.Actions[i]
		if w := o.never(a); w != "" {
			out = append(out, w)
		}
		if a.Cron != "" && a.Timezone != "UTC" {
			out = append(out, o.clocks(a, rows)...)
		}
	}
	return out
}

// never tells of an action that has no slot left.
func (o *Outlook) never(a *campaigns.Action) string {
	if a.Now || a.Waits() {
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

// clocks tells of the local times of an action that clocks leap over or show
// twice, and notes it at the occurrences that run for them.
func (o *Outlook) clocks(a *campaigns.Action, rows []Coming) []string {
	s, err := a.Schedule()
	if err != nil {
		return nil
	}
	odd := s.Oddities(o.mark(a), o.Until)
	if len(odd) == 0 {
		return nil
	}
	zone, err := time.LoadLocation(a.Timezone)
	if err != nil {
		return nil
	}
	notes := map[int64]string{}
	var out []string
	told := map[int64]int{}
	for _, x := range odd {
		note := oddly(x, a, zone)
		if !x.Slot.IsZero() && notes[x.Slot.Unix()] == "" {
			notes[x.Slot.Unix()] = note
		}
		if told[x.Change.Unix()]++; told[x.Change.Unix()] <= fewOdd {
			out = append(out, fmt.Sprintf("%s/%s: %s", o.Campaign.Name, a.ID, note))
		}
	}
	for _, change := range slices.Sorted(maps.Keys(told)) {
		if more := told[change] - fewOdd; more > 0 {
			out = append(out, fmt.Sprintf("%s/%s: so it is with %d more times around %s", o.Campaign.Name, a.ID, more,
				time.Unix(change, 0).In(zone).Format(localLayout)))
		}
	}
	for i := range rows {
		if rows[i].Action == a.ID {
			rows[i].Note = notes[rows[i].Slot.Unix()]
		}
	}
	return out
}

// fewOdd is of how many local times around one change of clocks is told.
const fewOdd = 3

// localLayout is a local time with its zone.
const localLayout = "2006-01-02 15:04 MST"

// oddly says what becomes of a local time that does not come just once.
func oddly(x campaigns.Oddity, a *campaigns.Action, zone *time.Location) string {
	wall := x.Wall.Format("2006-01-02 15:04")
	local := x.Slot.In(zone).Format(localLayout)
	switch {
	case x.Gap && x.Slot.IsZero():
		return fmt.Sprintf("clocks in %s leap forward: %s does not exist and does not run", zone, wall)
	case x.Gap:
		return fmt.Sprintf("clocks in %s leap forward: %s does not exist and runs at %s", zone, wall, local)
	case a.DST.Overlap == campaigns.LastTime:
		return fmt.Sprintf("clocks in %s go back: %s comes twice and runs once, the second time, at %s", zone, wall, local)
	}
	return fmt.Sprintf("clocks in %s go back: %s comes twice and runs once, the first time, at %s", zone, wall, local)
}
