package campaigns

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Schedule gives the slots of an action. It is pure and safe for concurrent
// use: the same question has the same answer whoever asks, and whenever.
type Schedule struct {
	zone *time.Location
	// next is the first slot after an instant, before bounds are applied.
	next        func(after time.Time) (time.Time, bool)
	from, until *time.Time
	except      []DateRange
	jitter      time.Duration
	// cron and dst are set where a cron text gives the slots.
	cron crontab
	dst  DST
}

// horizon is how far ahead a slot is looked for. What is farther is never.
const horizon = 40

// lastYear is the last one whose dates have four digits and so can be compared.
const lastYear = 9998

// Schedule returns the slots of the action. Actions that run now or on an
// event have none. An error means that the action was not made by Load.
func (a *Action) Schedule() (*Schedule, error) {
	s := &Schedule{
		from: a.From, until: a.Until, except: a.Except,
		jitter: time.Duration(a.Jitter),
	}
	zone := a.Timezone
	if zone == "" {
		zone = "UTC"
	}
	var err error
	if s.zone, err = location(zone); err != nil {
		return nil, err
	}
	switch {
	case a.Cron != "":
		err = s.byCron(a.Cron, a.DST)
	case a.Every != 0:
		err = s.byInterval(time.Duration(a.Every))
	case a.At != nil:
		s.next = once(*a.At)
	default:
		s.next = never
	}
	return s, err
}

// Next is the first slot strictly after an instant, in UTC, and whether there
// is one.
func (s *Schedule) Next(after time.Time) (time.Time, bool) {
	if s.from != nil && after.Before(*s.from) {
		after = s.from.Add(-time.Nanosecond)
	}
	for {
		t, ok := s.next(after)
		if !ok || s.until != nil && t.After(*s.until) || t.Year() > lastYear {
			return time.Time{}, false
		}
		last, excepted := s.excepted(t)
		if !excepted {
			return t.UTC(), true
		}
		after = startOfDay(last.AddDate(0, 0, 1), s.zone).Add(-time.Nanosecond)
	}
}

// FireAt is when a slot is to run: the slot itself and a delay shorter than
// the jitter, which depends on the key and the slot alone. The key should
// name the campaign and the action, so that they do not all run together.
func (s *Schedule) FireAt(slot time.Time, key string) time.Time {
	if s.jitter <= 0 {
		return slot
	}
	sum := sha256.Sum256([]byte(key + "/" + slot.UTC().Format(time.RFC3339Nano)))
	delay := binary.BigEndian.Uint64(sum[:]) % uint64(s.jitter)
	// Whole milliseconds, as the schedule keeps them: one that is due is due.
	return slot.Add(time.Duration(delay).Truncate(time.Millisecond))
}

// excepted tells whether an instant lies on an excepted day, and the last day
// of that range.
func (s *Schedule) excepted(t time.Time) (last time.Time, yes bool) {
	if len(s.except) == 0 {
		return time.Time{}, false
	}
	day := dayOf(t, s.zone).Format(time.DateOnly)
	for _, r := range s.except {
		if r.Contains(day) {
			last, err := time.Parse(time.DateOnly, r.Last)
			return last, err == nil
		}
	}
	return time.Time{}, false
}

func never(time.Time) (time.Time, bool) { return time.Time{}, false }

func once(at time.Time) func(time.Time) (time.Time, bool) {
	return func(after time.Time) (time.Time, bool) { return at, at.After(after) }
}

// byInterval has its slots at the multiples of the interval since the Unix
// epoch, so that they do not depend on when the program was started.
func (s *Schedule) byInterval(every time.Duration) error {
	step := int64(every / time.Second)
	if step < 1 || every%time.Second != 0 {
		return fmt.Errorf("every: %s is not a whole number of seconds", every)
	}
	s.next = func(after time.Time) (time.Time, bool) {
		n := after.Unix() / step
		if after.Unix() < 0 && after.Unix()%step != 0 {
			n--
		}
		return time.Unix((n+1)*step, 0), true
	}
	return nil
}

// byCron reads the text on a wall clock that knows no change and then asks at
// what instant a real clock shows that time. So no change of clocks drops a
// slot unasked or runs one twice.
func (s *Schedule) byCron(text string, dst DST) error {
	c, err := crontabs.get(text, parseCron)
	if err != nil {
		return err
	}
	if c.SpecSchedule == nil {
		return errors.New("cron: no schedule")
	}
	s.cron, s.dst = c, dst
	s.next = func(after time.Time) (time.Time, bool) {
		limit := after.AddDate(horizon, 0, 0)
		wall := searchFrom(after, s.zone, dst)
		for {
			next, ok := c.nextWall(wall)
			if !ok || next.After(limit) {
				return time.Time{}, false
			}
			if t, ok := instant(next, s.zone, dst); ok && t.After(after) {
				return t, true
			}
			wall = next
		}
	}
	return nil
}

// instant is when a wall time runs, and whether it does.
func instant(wall time.Time, zone *time.Location, dst DST) (time.Time, bool) {
	r := read(wall, zone)
	switch {
	case r.gap && dst.Gap == GapSkip:
		return time.Time{}, false
	case dst.Overlap == LastTime:
		return r.last, true
	}
	return r.first, true
}

// searchFrom is a wall time before all those that run after an instant. That
// is what the clock shows, unless clocks will soon go back and times that
// they have already shown are to run when they come again.
func searchFrom(after time.Time, zone *time.Location, dst DST) time.Time {
	wall := wallOf(after, zone)
	if dst.Overlap != LastTime {
		return wall
	}
	_, end := after.In(zone).ZoneBounds()
	if end.IsZero() || end.Sub(after) > 26*time.Hour {
		return wall
	}
	if again := wallOf(end, zone).Add(-time.Second); again.Before(wall) {
		return again
	}
	return wall
}
