package campaigns_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

func TestWindowAt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		per              campaigns.Window
		zone, at         string
		want, start, end string
	}{
		{campaigns.PerMonth, "UTC", "2026-11-30T23:59:59Z", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{campaigns.PerMonth, "Europe/Istanbul", "2026-11-30T21:00:00Z", "2026-12", "2026-11-30T21:00:00Z", "2026-12-31T21:00:00Z"},
		{campaigns.PerMonth, "UTC", "2026-12-31T12:00:00Z", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{campaigns.PerWeek, "UTC", "2026-11-24T00:00:00Z", "2026-W48", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		{campaigns.PerWeek, "UTC", "2026-11-29T23:00:00Z", "2026-W48", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		{campaigns.PerWeek, "UTC", "2027-01-02T00:00:00Z", "2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{campaigns.PerWeek, "UTC", "2024-12-31T00:00:00Z", "2025-W01", "2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z"},
		{campaigns.PerDay, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{campaigns.PerDay, "Africa/Cairo", "2026-04-24T00:00:00Z", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{campaigns.PerDay, "Nowhere/Land", "2026-04-24T00:00:00Z", "2026-04-24", "2026-04-24T00:00:00Z", "2026-04-25T00:00:00Z"},
		{campaigns.PerTotal, "UTC", "2026-11-24T00:00:00Z", "total", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		b := campaigns.Budget{Per: tc.per, Timezone: tc.zone}
		now := at(t, tc.at)
		if got := b.WindowAt(now); got != tc.want {
			t.Errorf("%s in %s at %s is %q, want %q", tc.per, tc.zone, tc.at, got, tc.want)
		}
		start, end := b.WindowBounds(now)
		if !start.Equal(at(t, tc.start)) || !end.Equal(at(t, tc.end)) {
			t.Errorf("%s of %s in %s is %v to %v, want %s to %s", tc.per, tc.at, tc.zone, start, end, tc.start, tc.end)
		}
	}
}

// TestWindowsFollowOneAnother holds the three promises that budgets rest on: a
// window is one stretch, its bounds are its own, and later ones have later
// names.
func TestWindowsFollowOneAnother(t *testing.T) {
	t.Parallel()
	zones := []string{"UTC", "America/St_Johns", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "America/Havana"}
	windows := []campaigns.Window{campaigns.PerDay, campaigns.PerWeek, campaigns.PerMonth}
	rapid.Check(t, func(t *rapid.T) {
		b := campaigns.Budget{
			Per:      rapid.SampledFrom(windows).Draw(t, "per"),
			Timezone: rapid.SampledFrom(zones).Draw(t, "zone"),
		}
		now := time.Unix(rapid.Int64Range(946684800, 2208988800).Draw(t, "t"), 0)
		start, end := b.WindowBounds(now)
		name := b.WindowAt(now)
		if now.Before(start) || !now.Before(end) {
			t.Fatalf("%v is not within %v and %v", now, start, end)
		}
		for _, same := range []time.Time{start, end.Add(-time.Nanosecond)} {
			if got := b.WindowAt(same); got != name {
				t.Fatalf("%v is in %s, want %s", same, got, name)
			}
		}
		if next := b.WindowAt(end); next <= name {
			t.Fatalf("%s comes after %s", next, name)
		}
		if before := b.WindowAt(start.Add(-time.Nanosecond)); before >= name {
			t.Fatalf("%s comes before %s", before, name)
		}
	})
}
