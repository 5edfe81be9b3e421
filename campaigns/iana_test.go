package campaigns_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// changing are zones whose clocks did odd things from 2010 on, and some that
// did none.
var changing = []string{
	"Africa/Cairo", "Africa/Casablanca", "Africa/El_Aaiun", "America/Caracas", "America/Havana", "America/New_York",
	"America/Nuuk", "America/Santiago", "America/Sao_Paulo", "America/St_Johns", "Antarctica/Troll", "Asia/Amman",
	"Asia/Gaza", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Tehran", "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Berlin",
	"Europe/Dublin", "Europe/Istanbul", "Europe/Moscow", "Pacific/Apia", "Pacific/Chatham", "Pacific/Fakaofo",
	"Pacific/Kiritimati", "Pacific/Norfolk", "UTC",
}

// fields is a cron text in a form that needs no parser: nil stands for all.
type fields struct {
	text         string
	minute, hour []int
	day, wday    []int
}

var texts = []fields{
	{text: "30 2 * * *", minute: []int{30}, hour: []int{2}},
	{text: "0 0 * * *", minute: []int{0}, hour: []int{0}},
	{text: "15,45 0-3 * * *", minute: []int{15, 45}, hour: []int{0, 1, 2, 3}},
	{text: "*/10 * * * *", minute: []int{0, 10, 20, 30, 40, 50}},
	{text: "59 23 * * SUN", minute: []int{59}, hour: []int{23}, wday: []int{0}},
	{text: "0 12 30,31 * *", minute: []int{0}, hour: []int{12}, day: []int{30, 31}},
}

func (f fields) match(wall time.Time) bool {
	in := func(list []int, n int) bool { return list == nil || slices.Contains(list, n) }
	return in(f.minute, wall.Minute()) && in(f.hour, wall.Hour()) && in(f.day, wall.Day()) && in(f.wday, int(wall.Weekday()))
}

// shown is what a clock in a zone shows, as a time in UTC.
func shown(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	h, n, s := t.In(zone).Clock()
	return time.Date(y, m, d, h, n, s, 0, time.UTC)
}

// walked finds the slots after one instant and up to another by walking minute
// by minute through UTC and looking at the clock on the wall.
func walked(f fields, zone *time.Location, dst campaigns.DST, after, until time.Time) []time.Time {
	const reach = 27 * time.Hour
	at := map[time.Time]time.Time{} // by what the wall shows
	slots := map[time.Time]bool{}
	last := shown(after.Add(-reach-time.Minute), zone)
	for t := after.Add(-reach); !t.After(until.Add(reach)); t = t.Add(time.Minute) {
		wall := shown(t, zone)
		for w := last.Add(time.Minute); w.Before(wall); w = w.Add(time.Minute) {
			if f.match(w) && dst.Gap == campaigns.GapShift {
				slots[t] = true
			}
		}
		if f.match(wall) {
			before, twice := at[wall]
			switch {
			case twice && dst.Overlap == campaigns.LastTime:
				delete(slots, before)
				slots[t] = true
			case !twice:
				slots[t] = true
			}
			at[wall] = t
		}
		last = wall
	}
	var out []time.Time
	for t := range slots {
		if t.After(after) && !t.After(until) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// changes are the instants from 2010 to 2030 at which a zone's offset differs
// from that of the hour before, found by looking at each hour.
func changes(zone *time.Location) []time.Time {
	var out []time.Time
	_, last := time.Date(2009, 12, 31, 23, 0, 0, 0, time.UTC).In(zone).Zone()
	for t := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC); t.Year() < 2030; t = t.Add(time.Hour) {
		if _, is := t.In(zone).Zone(); is != last {
			out, last = append(out, t), is
		}
	}
	return out
}

func TestEverySlotAroundEveryChangeOfClocks(t *testing.T) {
	t.Parallel()
	dsts := []campaigns.DST{
		{Gap: campaigns.GapShift, Overlap: campaigns.FirstTime},
		{Gap: campaigns.GapSkip, Overlap: campaigns.LastTime},
	}
	total := 0
	for _, name := range changing {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		moments := changes(zone)
		total += len(moments)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Two quiet days too, drawn by the zone's name.
			dice := rand.New(rand.NewPCG(uint64(len(name)), uint64(name[0])))
			for range 2 {
				moments = append(moments, time.Date(2010, 1, 1+dice.IntN(7300), 0, 0, 0, 0, time.UTC))
			}
			for i, moment := range moments {
				f := texts[i%len(texts)]
				if i%2 == 0 {
					f = texts[(i/2)%3] // the times at which clocks usually change
				}
				dst := dsts[(i/len(texts))%2]
				after, until := moment.Add(-30*time.Hour), moment.Add(30*time.Hour)
				s := schedule(t, campaigns.Action{Cron: f.text, Timezone: name, DST: dst})
				var got []time.Time
				for cursor := after; ; {
					next, ok := s.Next(cursor)
					if !ok || next.After(until) {
						break
					}
					got, cursor = append(got, next), next
				}
				if diff := cmp.Diff(walked(f, zone, dst, after, until), got); diff != "" {
					t.Fatalf("%q with %v around %s (-walked +got):\n%s", f.text, dst, moment, diff)
				}
			}
		})
	}
	if total < 400 {
		t.Errorf("only %d changes of clocks were looked at: is the time zone database there?", total)
	}
}

// TestEveryIntervalIsTheSameInEveryZone: an interval counts real hours, whatever
// clocks show.
func TestEveryIntervalIsTheSameInEveryZone(t *testing.T) {
	t.Parallel()
	for _, name := range changing {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		s := schedule(t, campaigns.Action{Every: campaigns.Duration(7 * time.Minute), Timezone: name})
		for _, moment := range changes(zone)[:min(2, len(changes(zone)))] {
			cursor := moment.Add(-time.Hour)
			for at := cursor.Add(time.Second); at.Before(moment.Add(time.Hour)); at = at.Add(time.Second) {
				if at.Unix()%(7*60) != 0 {
					continue
				}
				next, ok := s.Next(cursor)
				if !ok || !next.Equal(at) {
					t.Fatalf("%s: after %s comes %s, want %s", name, cursor, next, at)
				}
				cursor = next
			}
		}
	}
}

// TestAMomentIsReadAsTheWallShowsIt compares `at` with a walk through the hours
// around each change of clocks.
func TestAMomentIsReadAsTheWallShowsIt(t *testing.T) {
	t.Parallel()
	for _, name := range changing {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		moments := changes(zone)
		for _, moment := range moments[max(0, len(moments)-6):] {
			first := map[time.Time]time.Time{}
			last := shown(moment.Add(-4*time.Hour-time.Minute), zone)
			for at := moment.Add(-4 * time.Hour); at.Before(moment.Add(4 * time.Hour)); at = at.Add(time.Minute) {
				wall := shown(at, zone)
				for w := last.Add(time.Minute); !w.After(wall); w = w.Add(time.Minute) {
					if _, known := first[w]; !known {
						first[w] = at
					}
				}
				last = wall
			}
			for wall, want := range first {
				if wall.Minute()%15 != 0 || wall.Before(shown(moment.Add(-3*time.Hour), zone)) {
					continue
				}
				got, err := campaigns.ParseMoment(wall.Format("2006-01-02T15:04"), name, false)
				if err != nil || !got.Equal(want) {
					t.Fatalf("%s: %s is %s (%v), want %s", name, wall.Format("2006-01-02T15:04"), got, err, want)
				}
			}
		}
	}
}

// TestOdditiesAreWhatTheWalkFinds compares the told oddities of each change of
// clocks with what the wall shows never or twice.
func TestOdditiesAreWhatTheWalkFinds(t *testing.T) {
	t.Parallel()
	f := texts[3]
	for _, name := range changing {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		moments := changes(zone)
		for _, moment := range moments[max(0, len(moments)-4):] {
			want := map[string]string{}
			seen := map[time.Time]bool{}
			last := shown(moment.Add(-27*time.Hour-time.Minute), zone)
			for at := moment.Add(-27 * time.Hour); at.Before(moment.Add(27 * time.Hour)); at = at.Add(time.Minute) {
				wall := shown(at, zone)
				for w := last.Add(time.Minute); w.Before(wall); w = w.Add(time.Minute) {
					if f.match(w) {
						want[fmt.Sprint(w)] = "never"
					}
				}
				if seen[wall] && f.match(wall) {
					want[fmt.Sprint(wall)] = "twice"
				}
				seen[wall], last = true, wall
			}
			got := map[string]string{}
			s := schedule(t, campaigns.Action{Cron: f.text, Timezone: name})
			for _, o := range s.Oddities(moment.Add(-27*time.Hour), moment.Add(27*time.Hour)) {
				got[fmt.Sprint(o.Wall)] = map[bool]string{true: "never", false: "twice"}[o.Gap]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s around %s (-walked +told):\n%s", name, moment, diff)
			}
		}
	}
}

// TestWindowsRollOverAtTheMidnightOfTheirZone walks hour by hour through months
// with a change of clocks.
func TestWindowsRollOverAtTheMidnightOfTheirZone(t *testing.T) {
	t.Parallel()
	for _, name := range changing {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		moments := changes(zone)
		for _, moment := range moments[max(0, len(moments)-2):] {
			day := campaigns.Budget{Per: campaigns.PerDay, Timezone: name}
			last := ""
			for at := moment.Add(-60 * time.Hour); at.Before(moment.Add(60 * time.Hour)); at = at.Add(10 * time.Minute) {
				got, wall := day.WindowAt(at), shown(at, zone).Format(time.DateOnly)
				if got < last {
					t.Fatalf("%s: at %s the window is %s again, after %s", name, at, got, last)
				}
				// Where midnight comes twice the new day goes on.
				if got != wall && got != last {
					t.Fatalf("%s: at %s the window is %s, the wall shows %s", name, at, got, wall)
				}
				last = got
			}
		}
	}
}
