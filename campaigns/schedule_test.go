package campaigns_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

func schedule(t testing.TB, a campaigns.Action) *campaigns.Schedule {
	t.Helper()
	s, err := a.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ref(v time.Time) *time.Time { return &v }

// slots are the first slots after an instant, at most n of them.
func slots(t testing.TB, a campaigns.Action, after string, n int) []string {
	t.Helper()
	s, now := schedule(t, a), at(t, after)
	var out []string
	for range n {
		next, ok := s.Next(now)
		if !ok {
			break
		}
		out = append(out, next.Format(time.RFC3339))
		now = next
	}
	return out
}

func TestNext(t *testing.T) {
	t.Parallel()
	const berlin = "Europe/Berlin"
	last := campaigns.DST{Gap: campaigns.GapShift, Overlap: campaigns.LastTime}
	skip := campaigns.DST{Gap: campaigns.GapSkip, Overlap: campaigns.FirstTime}
	for _, tc := range []struct {
		claim  string
		action campaigns.Action
		after  string
		want   []string
	}{
		{
			"a slot is strictly after the question",
			campaigns.Action{Cron: "0 9 * * *"}, "2026-11-24T09:00:00Z",
			[]string{"2026-11-25T09:00:00Z", "2026-11-26T09:00:00Z"},
		},
		{
			"a moment before is enough",
			campaigns.Action{Cron: "0 9 * * *"}, "2026-11-24T08:59:59.999999999Z",
			[]string{"2026-11-24T09:00:00Z"},
		},
		{
			"cron is read in the action's zone and answered in UTC",
			campaigns.Action{Cron: "0 9 * * MON", Timezone: "Europe/Istanbul"}, "2026-11-24T00:00:00Z",
			[]string{"2026-11-30T06:00:00Z", "2026-12-07T06:00:00Z"},
		},
		{
			"a time that clocks leap over runs at the first instant after the gap",
			campaigns.Action{Cron: "30 2 * * *", Timezone: berlin}, "2026-03-28T00:00:00Z",
			[]string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		},
		{
			"or not at all",
			campaigns.Action{Cron: "30 2 * * *", Timezone: berlin, DST: skip}, "2026-03-28T00:00:00Z",
			[]string{"2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"},
		},
		{
			"several times within a gap are one slot",
			campaigns.Action{Cron: "*/15 2,3 * * *", Timezone: berlin}, "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z"},
		},
		{
			"a time that comes twice runs at the first",
			campaigns.Action{Cron: "30 2 * * *", Timezone: berlin}, "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		},
		{
			"or at the last",
			campaigns.Action{Cron: "30 2 * * *", Timezone: berlin, DST: last}, "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		},
		{
			"times that will come again are not lost when asked between",
			campaigns.Action{Cron: "10,50 2 * * *", Timezone: berlin, DST: last}, "2026-10-25T00:30:00Z",
			[]string{"2026-10-25T01:10:00Z", "2026-10-25T01:50:00Z", "2026-10-26T01:10:00Z"},
		},
		{
			"asking in the second hour does not repeat the first",
			campaigns.Action{Cron: "*/30 2 * * *", Timezone: berlin}, "2026-10-25T01:05:00Z",
			[]string{"2026-10-26T01:00:00Z"},
		},
		{
			"a gap at midnight keeps the day",
			campaigns.Action{Cron: "@daily", Timezone: "Africa/Cairo"}, "2026-04-23T12:00:00Z",
			[]string{"2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		},
		{
			"a day that a place left out runs when the next begins",
			campaigns.Action{Cron: "0 12 30 12 *", Timezone: "Pacific/Apia"}, "2011-12-01T00:00:00Z",
			[]string{"2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"},
		},
		{
			"a leap day is found over the years without one",
			campaigns.Action{Cron: "0 0 29 2 *"}, "2096-03-01T00:00:00Z",
			[]string{"2104-02-29T00:00:00Z"},
		},
		{
			"an interval counts from the epoch",
			campaigns.Action{Every: campaigns.Duration(6 * time.Hour), Timezone: berlin}, "2026-11-24T05:00:00Z",
			[]string{"2026-11-24T06:00:00Z", "2026-11-24T12:00:00Z"},
		},
		{
			"and before it",
			campaigns.Action{Every: campaigns.Duration(6 * time.Hour)}, "1969-12-31T17:59:59Z",
			[]string{"1969-12-31T18:00:00Z", "1970-01-01T00:00:00Z"},
		},
		{
			"a moment is one slot",
			campaigns.Action{At: ref(time.Date(2026, 12, 1, 6, 0, 0, 0, time.UTC))}, "2026-11-24T00:00:00Z",
			[]string{"2026-12-01T06:00:00Z"},
		},
		{
			"from and until are part of their range",
			campaigns.Action{
				Cron: "@hourly",
				From: ref(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)), Until: ref(time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)),
			},
			"2026-01-01T00:00:00Z",
			[]string{"2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"},
		},
		{
			"excepted days are those of the zone",
			campaigns.Action{
				Every: campaigns.Duration(12 * time.Hour), Timezone: "Asia/Tokyo",
				Except: []campaigns.DateRange{{"2026-12-25", "2026-12-25"}, {"2026-12-26", "2026-12-27"}},
			},
			"2026-12-24T00:00:00Z",
			[]string{"2026-12-24T12:00:00Z", "2026-12-28T00:00:00Z"},
		},
		{
			"a schedule that is excepted for ever ends",
			campaigns.Action{
				Cron: "* * * * *", Timezone: "Europe/Berlin",
				Except: []campaigns.DateRange{{"0001-01-01", "9999-12-31"}},
			},
			"2026-11-24T00:00:00Z", nil,
		},
		{"now has no slots", campaigns.Action{Now: true}, "2026-11-24T00:00:00Z", nil},
		{"an event has no slots", campaigns.Action{On: campaigns.OnJobFinished}, "2026-11-24T00:00:00Z", nil},
	} {
		t.Run(tc.claim, func(t *testing.T) {
			t.Parallel()
			n := max(len(tc.want), 1)
			if tc.action.At != nil || tc.action.Until != nil {
				n++
			}
			if diff := cmp.Diff(tc.want, slots(t, tc.action, tc.after, n)); diff != "" {
				t.Errorf("slots (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScheduleRefusesWhatLoadWould(t *testing.T) {
	t.Parallel()
	for _, a := range []campaigns.Action{
		{Cron: "CRON_TZ=Asia/Tokyo"}, {Cron: "TZ="}, {Cron: "@every 1h"}, {Cron: "0 0 30 2 *"}, {Cron: "* * * *"},
		{Cron: "0 0 * * 7"}, {Every: campaigns.Duration(time.Millisecond)}, {Now: true, Timezone: "Mars/Base"},
		{Now: true, Timezone: "Local"}, {Now: true, Timezone: "../zone"},
	} {
		if _, err := a.Schedule(); err == nil {
			t.Errorf("%+v has a schedule", a)
		}
	}
}

// TestNextOnAnyClock compares with a clock that is watched minute by minute.
func TestNextOnAnyClock(t *testing.T) {
	t.Parallel()
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe",
		"Asia/Kathmandu", "America/Santiago", "Asia/Beirut", "Pacific/Apia",
	}
	crons := []string{"30 2 * * *", "*/20 * * * *", "0 0 * * *", "15 1-3 * * *", "45 23 * * SUN", "@hourly"}
	starts := []string{
		"2026-03-28T00:00:00Z", "2026-10-24T12:00:00Z", "2026-11-01T00:00:00Z", "2026-04-04T00:00:00Z",
		"2026-03-08T00:00:00Z", "2026-09-05T12:00:00Z", "2026-10-29T00:00:00Z", "2011-12-29T12:00:00Z",
	}
	rapid.Check(t, func(rt *rapid.T) {
		a := campaigns.Action{
			Cron:     rapid.SampledFrom(crons).Draw(rt, "cron"),
			Timezone: rapid.SampledFrom(zones).Draw(rt, "zone"),
			DST: campaigns.DST{
				Gap:     rapid.SampledFrom([]campaigns.GapPolicy{campaigns.GapShift, campaigns.GapSkip}).Draw(rt, "gap"),
				Overlap: rapid.SampledFrom([]campaigns.OverlapTime{campaigns.FirstTime, campaigns.LastTime}).Draw(rt, "overlap"),
			},
		}
		start := at(t, rapid.SampledFrom(starts).Draw(rt, "start"))
		start = start.Add(time.Duration(rapid.Int64Range(0, 48*60).Draw(rt, "offset")) * time.Minute)
		s := schedule(t, a)
		var got []time.Time
		end := start.Add(60 * time.Hour)
		for now := start; ; {
			next, ok := s.Next(now)
			if !ok || !next.Before(end) {
				break
			}
			if !next.After(now) {
				rt.Fatalf("Next(%v) = %v is not later", now, next)
			}
			got = append(got, next)
			now = next
		}
		if diff := cmp.Diff(watch(t, a, start, end), got); diff != "" {
			rt.Fatalf("%s in %s, %v (-watched +got):\n%s", a.Cron, a.Timezone, a.DST, diff)
		}
	})
}

// watch finds slots by looking at a local clock at each minute: which of the
// times on the cron's list does it show for the first or last time, and which
// has it just leapt over.
func watch(t testing.TB, a campaigns.Action, after, end time.Time) []time.Time {
	t.Helper()
	zone, err := time.LoadLocation(a.Timezone)
	if err != nil {
		t.Fatal(err)
	}
	const layout = "2006-01-02T15:04"
	utc := schedule(t, campaigns.Action{Cron: a.Cron})
	begin := after.Add(-30 * time.Hour).Truncate(time.Minute)
	finish := end.Add(30 * time.Hour)
	shown := map[string][]time.Time{}
	for m := begin; m.Before(finish); m = m.Add(time.Minute) {
		key := m.In(zone).Format(layout)
		shown[key] = append(shown[key], m)
	}
	seen := map[time.Time]bool{}
	var out []time.Time
	wall := wallClock(begin, zone)
	for {
		next, ok := utc.Next(wall)
		if !ok || next.After(wallClock(finish, zone)) {
			return out
		}
		wall = next
		instants := shown[next.Format(layout)]
		var slot time.Time
		switch {
		case len(instants) > 0 && a.DST.Overlap == campaigns.LastTime:
			slot = instants[len(instants)-1]
		case len(instants) > 0:
			slot = instants[0]
		case a.DST.Gap == campaigns.GapSkip:
			continue
		default:
			slot = begin
			for wallClock(slot, zone).Before(next) {
				slot = slot.Add(time.Minute)
			}
		}
		if slot.After(after) && slot.Before(end) && !seen[slot] {
			seen[slot] = true
			out = append(out, slot)
		}
	}
}

func wallClock(t time.Time, zone *time.Location) time.Time {
	l := t.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

func TestFireAt(t *testing.T) {
	t.Parallel()
	s := schedule(t, campaigns.Action{Cron: "@daily", Jitter: campaigns.Duration(time.Minute)})
	slot := at(t, "2026-11-24T00:00:00Z")
	seen := map[time.Time]bool{}
	for _, key := range []string{"a/create", "b/create", "c/create", "d/create"} {
		fire := s.FireAt(slot, key)
		if delay := fire.Sub(slot); delay < 0 || delay >= time.Minute {
			t.Errorf("%s is delayed by %v, want less than the jitter", key, delay)
		}
		if again := s.FireAt(slot.In(time.FixedZone("", 3600)), key); !again.Equal(fire) {
			t.Errorf("%s fires at %v and at %v", key, fire, again)
		}
		seen[fire] = true
	}
	if len(seen) != 4 {
		t.Errorf("4 keys fire at %d moments, want them apart", len(seen))
	}
	if fire := schedule(t, campaigns.Action{Cron: "@daily"}).FireAt(slot, "a"); !fire.Equal(slot) {
		t.Errorf("without jitter the slot fires at %v", fire)
	}
}

func BenchmarkNext(b *testing.B) {
	s := schedule(b, campaigns.Action{Cron: "0 9 * * MON", Timezone: "Europe/Istanbul"})
	now := at(b, "2026-11-24T09:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		s.Next(now)
	}
}
