package campaigns

import (
	"errors"
	"fmt"
	"time"
)

// location is time.LoadLocation for names that mean the same everywhere.
func location(name string) (*time.Location, error) {
	return locations.get(name, loadLocation)
}

var locations memo[*time.Location]

func loadLocation(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not an IANA time zone such as Europe/Istanbul or UTC", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not an IANA time zone such as Europe/Istanbul or UTC", clip(name))
	}
	return zone, nil
}

// A wall time is what a clock on the wall shows: a time.Time in UTC whose
// fields are local ones. Arithmetic on it knows no change of clocks.

// wallOf is what a clock in the zone shows at an instant.
func wallOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.Add(time.Duration(offset) * time.Second).UTC()
}

// reading is when a clock shows a wall time: once, twice, or never. In a gap
// First and Last are both the first instant after it.
type reading struct {
	first, last time.Time
	gap         bool
}

// read finds the instants at which a clock in the zone shows a wall time. It
// looks at each stretch of one offset near the time; no offset and no change
// of one is larger than reach.
func read(wall time.Time, zone *time.Location) reading {
	const reach = 26 * time.Hour
	var r reading
	var leapt time.Time
	for at := wall.Add(-reach).In(zone); ; {
		_, offset := at.Zone()
		start, end := at.ZoneBounds()
		t := wall.Add(-time.Duration(offset) * time.Second)
		early := !start.IsZero() && t.Before(start)
		late := !end.IsZero() && !t.Before(end)
		switch {
		case early && r.first.IsZero() && leapt.IsZero():
			leapt = start
		case !early && !late && r.first.IsZero():
			r.first, r.last = t, t
		case !early && !late:
			r.last = t
		}
		if end.IsZero() || end.Sub(wall) > reach {
			break
		}
		at = end
	}
	if r.first.IsZero() {
		return reading{first: leapt.UTC(), last: leapt.UTC(), gap: true}
	}
	return r
}

// startOfDay is the first instant of a day, given by its wall time 00:00.
func startOfDay(day time.Time, zone *time.Location) time.Time {
	return read(day, zone).first
}

// dayOf is the day, as wall time 00:00, that an instant belongs to. Where
// clocks go back across midnight the new day goes on: days never return.
func dayOf(t time.Time, zone *time.Location) time.Time {
	day := wallOf(t, zone).Truncate(24 * time.Hour)
	if next := day.AddDate(0, 0, 1); !t.Before(startOfDay(next, zone)) {
		return next
	}
	return day
}

// errTime says how times are written.
var errTime = errors.New("is not a time such as 2026-12-01T09:00, or 2026-12-01T09:00:00+03:00")

// parseTime reads an instant: a local time in the zone, with or without
// seconds, or one with an offset. A local time that clocks leap over is the
// first instant after the gap; one that comes twice is the first.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if len(s) != len(layout) {
			continue
		}
		if wall, err := time.Parse(layout, s); err == nil {
			return inRange(s, read(wall, zone).first)
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return inRange(s, t.UTC())
		}
	}
	return time.Time{}, fmt.Errorf("%q %w", clip(s), errTime)
}

// parseBound reads a time as parseTime does, or a date, which stands for its
// first instant or, where last is set, its last.
func parseBound(s string, zone *time.Location, last bool) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, s)
	switch {
	case err != nil:
		return parseTime(s, zone)
	case last:
		return inRange(s, startOfDay(day.AddDate(0, 0, 1), zone).Add(-time.Nanosecond))
	}
	return inRange(s, startOfDay(day, zone))
}

// ParseMoment reads a time as a spec writes it, in a zone: a local time, one with
// an offset, or a date, which stands for its first instant or, where last is
// set, its last.
func ParseMoment(s, zone string, last bool) (time.Time, error) {
	at, err := location(zone)
	if err != nil {
		return time.Time{}, err
	}
	return parseBound(s, at, last)
}

func inRange(s string, t time.Time) (time.Time, error) {
	if y := t.Year(); y < 2000 || y > 2999 {
		return time.Time{}, fmt.Errorf("%q is not in the years 2000 to 2999", s)
	}
	return t, nil
}
