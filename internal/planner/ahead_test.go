package planner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

var monday = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// campaign loads a campaign of two items of 10 seats with some actions.
func campaign(t *testing.T, zone string, actions ...string) *campaigns.Campaign {
	t.Helper()
	text := "version: 1\ntimezone: " + zone + `
campaigns:
  - name: signs
    items: [A, B]
    job:
      title: "Signs"
      category: surveys/labelling
      price: 0.05
      seats: 10
      countries: INT
      minutes: 5
      steps: ["Look."]
      proof: [{text: "What you read"}]
    actions:
`
	for _, a := range actions {
		text += "      - " + a + "\n"
	}
	f, err := campaigns.Parse("spec.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &f.Campaigns[0]
}

// cents prices each seat at one cent.
func cents(_ planner.Kind, _ string, _ int64, seats int) (money.USD, bool) {
	return money.USD(seats) * money.Dollar / 100, true
}

func look(c *campaigns.Campaign, days int) planner.Outlook {
	return planner.Outlook{Campaign: c, Now: monday, Until: monday.AddDate(0, 0, days), Price: cents}
}

func foresee(t *testing.T, o planner.Outlook) []string {
	t.Helper()
	owed, waiting, err := o.Owed(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := planner.Forecast(o, owed, waiting)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		cost := "unknown"
		if r.Cost != nil {
			cost = r.Cost.String()
		}
		out = append(out, fmt.Sprintf("%s %s %d %s", r.Slot.Format("02T15:04"), r.Action, r.Items, cost))
	}
	return out
}

func TestForecast(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		actions []string
		days    int
		want    []string
	}{
		"seats are added to jobs that are yet to be made": {
			[]string{"{do: create, now: true}", `{do: add_seats, seats: 3, cron: "0 12 * * *"}`}, 2,
			[]string{"02T12:00 add_seats 2 0.06", "03T12:00 add_seats 2 0.06"},
		},
		"a target is bought once": {
			[]string{"{do: create, now: true}", `{do: add_seats, up_to: 15, cron: "0 12 * * *"}`}, 2,
			[]string{"02T12:00 add_seats 2 0.1", "03T12:00 add_seats 2 0"},
		},
		"recurring creates make more jobs, of which the latest get seats": {
			[]string{`{do: create, cron: "0 9 * * *"}`, `{do: add_seats, seats: 1, cron: "0 12 * * *", jobs: latest}`, `{do: restart, cron: "0 13 * * *"}`}, 2,
			[]string{
				"02T09:00 create 2 0.2", "02T12:00 add_seats 2 0.02", "02T13:00 restart 2 0",
				"03T09:00 create 2 0.2", "03T12:00 add_seats 2 0.02", "03T13:00 restart 4 0",
			},
		},
		"a pause leaves nothing to add to, and a resume buys anew": {
			[]string{
				"{do: create, now: true}", `{do: pause, cron: "0 20 * * *"}`,
				`{do: add_seats, seats: 1, cron: "0 22 * * *"}`, `{do: resume, seats: 4, cron: "0 7 * * *"}`,
			}, 1,
			[]string{"02T20:00 pause 2 0", "02T22:00 add_seats 0 0", "03T07:00 resume 2 0.08"},
		},
		"an action that runs now and has no jobs yet is still to come": {
			[]string{"{do: create, now: true}", "{do: add_seats, seats: 2, now: true}"}, 1,
			[]string{"02T08:00 add_seats 2 0.04"},
		},
		"each occurrence has a row, with jobs or without": {
			[]string{`{do: restart, cron: "@daily"}`}, 2,
			[]string{"03T00:00 restart 0 0", "04T00:00 restart 0 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, foresee(t, look(campaign(t, "UTC", test.actions...), test.days))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestForecastWithoutPrices(t *testing.T) {
	t.Parallel()
	o := look(campaign(t, "UTC", `{do: create, cron: "0 9 * * *"}`, `{do: restart, cron: "0 10 * * *"}`), 1)
	o.Price = nil
	want := []string{"02T09:00 create 2 unknown", "02T10:00 restart 2 0"}
	if diff := cmp.Diff(want, foresee(t, o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestForecastIsBounded(t *testing.T) {
	t.Parallel()
	o := look(campaign(t, "UTC", "{do: restart, every: 1s}"), 7)
	rows, cut, err := planner.Forecast(o, nil, nil)
	if err != nil || len(rows) != 2_000 || cmp.Diff([]string{"restart"}, cut) != "" {
		t.Errorf("%d rows, cut %v, %v", len(rows), cut, err)
	}
}

func TestOwed(t *testing.T) {
	t.Parallel()
	c := campaign(t, "UTC", "{do: create, now: true}", `{do: restart, cron: "0 7 * * *"}`)
	jobs := []planner.Job{{ID: 1, Item: "A", Online: true}}
	earlier := monday.Add(-24 * time.Hour)
	for name, test := range map[string]struct {
		marks map[string]time.Time
		done  map[string]bool
		want  []string
	}{
		"a new campaign owes what runs now": {nil, nil, []string{"signs/create/A/20261102T080000Z", "signs/create/B/20261102T080000Z"}},
		"what ran keeps its slot": {
			map[string]time.Time{"create": earlier}, nil,
			[]string{"signs/create/A/20261101T080000Z", "signs/create/B/20261101T080000Z"},
		},
		"what is over owes nothing, and a slot that passed is caught up": {
			map[string]time.Time{"create": earlier, "restart": earlier}, map[string]bool{"create": true},
			[]string{"signs/restart/A@1/20261102T070000Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := look(c, 1)
			o.Jobs, o.Marks, o.Done = jobs, test.marks, test.done
			owed, _, err := o.Owed(time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, op := range owed {
				ids = append(ids, op.ID)
			}
			if diff := cmp.Diff(test.want, ids); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	c := campaign(t, "UTC", "{do: create, now: true}")
	f := &campaigns.File{Source: "spec.yaml", Campaigns: []campaigns.Campaign{*c}}
	here := func(digest, source string, removed bool) planner.Known {
		return planner.Known{Name: "signs", Digest: digest, Source: source, Removed: removed}
	}
	for name, test := range map[string]struct {
		known planner.Known
		want  string
	}{
		"another name is new, and the old one vanished": {planner.Known{Name: "old", Source: "spec.yaml"}, "signs new, old removed"},
		"a campaign of another file stays":              {planner.Known{Name: "old", Source: "other.yaml"}, "signs new"},
		"one removed before is not removed again":       {planner.Known{Name: "old", Source: "spec.yaml", Removed: true}, "signs new"},
		"the same digest is unchanged":                  {here(c.Digest(), "spec.yaml", false), "signs unchanged"},
		"another digest is changed":                     {here("x", "spec.yaml", false), "signs changed"},
		"one that comes back is new":                    {here(c.Digest(), "spec.yaml", true), "signs new"},
		"one from another file is taken over":           {here("x", "other.yaml", false), "signs changed from other.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, d := range planner.Diff([]*campaigns.File{f}, []planner.Known{test.known}) {
				text := d.Name + " " + string(d.Change)
				if d.From != "" {
					text += " from " + d.From
				}
				got = append(got, text)
			}
			if s := strings.Join(got, ", "); s != test.want {
				t.Errorf("got %q, want %q", s, test.want)
			}
		})
	}
}

func TestExhausted(t *testing.T) {
	t.Parallel()
	cost := 4 * money.Dollar
	var rows []planner.Coming
	for day := range 4 {
		rows = append(rows, planner.Coming{Slot: monday.AddDate(0, 0, day), Cost: &cost})
	}
	total := &campaigns.Budget{Cap: 10 * money.Dollar, Per: campaigns.PerTotal, Timezone: "UTC"}
	daily := &campaigns.Budget{Cap: 5 * money.Dollar, Per: campaigns.PerDay, Timezone: "UTC"}
	if at, reached := planner.Exhausted(total, total.Cap, total.Cap, monday, rows); !reached || !at.Equal(rows[2].Slot) {
		t.Errorf("a total of 10 is passed at %s (%t), want the third", at, reached)
	}
	if at, reached := planner.Exhausted(daily, daily.Cap, daily.Cap, monday, rows); reached {
		t.Errorf("5 a day is passed at %s, and 4 a day are spent", at)
	}
	if _, reached := planner.Exhausted(daily, 3*money.Dollar, daily.Cap, monday, rows); !reached {
		t.Errorf("what is left of today does not cover 4, and nobody is told")
	}
}

func TestWarningsOfClocks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		now  time.Time
		cron string
		want string
	}{
		"a time that does not exist is moved":     {time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), "30 2 * * *", "2026-03-29 03:00 CEST"},
		"a time that comes twice runs once":       {time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC), "30 2 * * *", "2026-10-25 02:30 CEST"},
		"other times of that day are not told of": {time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), "30 9 * * *", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := planner.Outlook{
				Campaign: campaign(t, "Europe/Berlin", `{do: restart, cron: "`+test.cron+`"}`),
				Now:      test.now, Until: test.now.AddDate(0, 0, 2),
			}
			rows, _, err := planner.Forecast(o, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(planner.Warnings(o, rows), "\n")
			if test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("got %q, want %q", all, test.want)
			}
		})
	}
}
