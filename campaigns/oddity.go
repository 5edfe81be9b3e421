package campaigns

import "time"

// Oddity is a local time of a cron text that does not come just once, because
// clocks change.
type Oddity struct {
	// Wall is the local time as the text names it; its zone means nothing.
	Wall time.Time
	// Change is when clocks change.
	Change time.Time
	// Gap tells that clocks leap over Wall; else it comes twice.
	Gap bool
	// Slot is when it runs; the zero time where it does not.
	Slot time.Time
}

// Oddities lists, oldest first, the local times of a cron text that are leapt
// over or come twice, and whose slot, or change of clocks where they have none,
// is after one instant and not after another. Other schedules have none.
func (s *Schedule) Oddities(after, until time.Time) []Oddity {
	if s.cron.SpecSchedule == nil {
		return nil
	}
	const reach = 26 * time.Hour // no change of clocks is larger
	var out []Oddity
	for at := after.Add(-reach).In(s.zone); ; {
		_, change := at.ZoneBounds()
		if change.IsZero() || change.After(until.Add(reach)) {
			return out
		}
		for _, o := range s.around(change, at) {
			when := o.Slot
			if when.IsZero() {
				when = change.UTC()
			}
			if when.After(after) && !when.After(until) && s.within(when) {
				out = append(out, o)
			}
		}
		at = change
	}
}

// around are the oddities of one change of clocks; before is an instant before it.
func (s *Schedule) around(change, before time.Time) []Oddity {
	_, was := before.Zone()
	_, is := change.In(s.zone).Zone()
	from, to := change.UTC().Add(time.Duration(was)*time.Second), change.UTC().Add(time.Duration(is)*time.Second)
	gap := to.After(from)
	if !gap {
		from, to = to, from
	}
	var out []Oddity
	for wall := from.Add(-time.Second); ; {
		next, ok := s.cron.nextWall(wall)
		if !ok || !next.Before(to) {
			return out
		}
		o := Oddity{Wall: next, Change: change.UTC(), Gap: gap}
		if slot, runs := instant(next, s.zone, s.dst); runs {
			o.Slot = slot.UTC()
		}
		out = append(out, o)
		wall = next
	}
}

// within tells whether the bounds and exceptions leave room for an instant.
func (s *Schedule) within(t time.Time) bool {
	if s.from != nil && t.Before(*s.from) || s.until != nil && t.After(*s.until) {
		return false
	}
	_, excepted := s.excepted(t)
	return !excepted
}
