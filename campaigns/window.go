package campaigns

import (
	"fmt"
	"time"
)

// WindowAt names the window that an instant lies in: "total", "2026-11",
// "2026-W48" (the ISO week) or "2026-11-24". Of two windows of one budget the
// later has the greater name. A time zone that is not known counts as UTC.
func (b *Budget) WindowAt(t time.Time) string {
	day := dayOf(t, b.zone())
	switch b.Per {
	case PerMonth:
		return day.Format("2006-01")
	case PerWeek:
		year, week := day.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case PerDay:
		return day.Format(time.DateOnly)
	}
	return string(PerTotal)
}

// WindowBounds are the first instant of the window that t lies in and the
// first one after it, in UTC. Both are zero for a total.
func (b *Budget) WindowBounds(t time.Time) (start, end time.Time) {
	zone := b.zone()
	day := dayOf(t, zone)
	next := day.AddDate(0, 0, 1)
	switch b.Per {
	case PerMonth:
		day = day.AddDate(0, 0, 1-day.Day())
		next = day.AddDate(0, 1, 0)
	case PerWeek:
		day = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		next = day.AddDate(0, 0, 7)
	case PerDay:
	default:
		return time.Time{}, time.Time{}
	}
	return startOfDay(day, zone).UTC(), startOfDay(next, zone).UTC()
}

func (b *Budget) zone() *time.Location {
	zone, err := location(b.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}
