package simulation_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/examples"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/simulation"
)

var monday = time.Date(2026, 11, 23, 6, 30, 0, 0, time.UTC)

func parse(t testing.TB, spec string) *campaigns.File {
	t.Helper()
	f, err := campaigns.Parse("test.yaml", []byte(spec), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func config(files ...*campaigns.File) simulation.Config {
	return simulation.Config{
		Files: files, From: monday, For: 30 * 24 * time.Hour, Seed: 1, Balance: 1000 * money.Dollar, FillIn: 48 * time.Hour,
		Log: slog.New(slog.DiscardHandler),
	}
}

func run(t testing.TB, cfg simulation.Config) *simulation.Result {
	t.Helper()
	r, err := simulation.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const weekly = `
version: 1
timezone: Europe/Istanbul
campaigns:
  - name: signs
    items: {matrix: {city: [ankara, izmir]}}
    job:
      title: "Signs in {{ .city }}"
      category: 201
      price: 0.05
      minutes: 5
      countries: INT
      seats: 10
      steps: ["Look"]
      proof: [{text: "What you saw"}]
    budget: {cap: 5, pause_at: 80%}
    actions:
      - {do: create, cron: "0 9 * * MON"}
      - {do: restart, cron: "@daily"}
`

func TestAMonthOfAWeeklyCampaign(t *testing.T) {
	t.Parallel()
	r := run(t, config(parse(t, weekly)))
	// 10 seats at 0.05 cost 0.6625; the threshold of 4 is reached by the seventh job.
	if got := r.Campaigns[0].Charged; got != 7*money.MustParse("0.6625") {
		t.Errorf("charged %s, want seven jobs", got)
	}
	type at struct{ When, Scope, Limit string }
	var limits []at
	for _, l := range r.Reached {
		limits = append(limits, at{l.At.Format("2006-01-02 15:04"), l.Scope, l.Limit})
	}
	want := []at{{"2026-12-21 06:00", "signs", "threshold"}}
	if diff := cmp.Diff(want, limits); diff != "" {
		t.Errorf("limits reached (-want +got):\n%s", diff)
	}
	if r.Operations[planner.Unknown]+r.Operations[planner.Parked]+r.Operations[planner.Rejected] != 0 {
		t.Errorf("operations that should not be: %v", r.Operations)
	}
	if got := r.Days[0]; got.Date != "2026-11-30" || got.Charged != 2*money.MustParse("0.6625") {
		t.Errorf("the first day is %+v", got)
	}
}

func TestTheBooksAreTheMarketplaces(t *testing.T) {
	t.Parallel()
	cfg := config(parse(t, weekly))
	r := run(t, cfg)
	var net money.USD
	for _, c := range r.Campaigns {
		net += c.Net
	}
	if cfg.Balance-r.Balance != net {
		t.Errorf("the account lost %s, the ledger says %s", cfg.Balance-r.Balance, net)
	}
	var days money.USD
	for _, d := range r.Days {
		days += d.Net
	}
	if days != net {
		t.Errorf("the days add up to %s, the campaigns to %s", days, net)
	}
}

func example(t testing.TB) *campaigns.File {
	t.Helper()
	body, err := examples.Files.ReadFile(examples.Spec)
	if err != nil {
		t.Fatal(err)
	}
	f, err := campaigns.Parse(examples.Spec, body, examples.Files)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheSameSeedGivesTheSameResult(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string {
		cfg := config(example(t))
		cfg.Seed, cfg.For, cfg.Interval = seed, 4*24*time.Hour, time.Second
		b, err := json.MarshalIndent(run(t, cfg), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := text(7)
	if diff := cmp.Diff(first, text(7)); diff != "" {
		t.Errorf("the second run differs:\n%s", diff)
	}
	if text(8) == first {
		t.Error("another seed gives the same result")
	}
}

func TestAdoptedJobsAreSimulatedToo(t *testing.T) {
	t.Parallel()
	f := parse(t, `
version: 1
campaigns:
  - name: old
    adopt: [15341, 15342]
    actions:
      - {do: restart, every: 12h}
`)
	cfg := config(f)
	cfg.For = 48 * time.Hour
	r := run(t, cfg)
	if got := r.Operations[planner.Applied]; got < 6 {
		t.Errorf("%d restarts of two jobs in two days", got)
	}
	if f.Campaigns[0].Adopt[0] != 15341 {
		t.Error("the file itself was changed")
	}
}

func TestTheRateLimitTakesItsTime(t *testing.T) {
	t.Parallel()
	var items strings.Builder
	for i := range 100 {
		fmt.Fprintf(&items, "      - {n: i%d}\n", i)
	}
	f := parse(t, fmt.Sprintf(`
version: 1
campaigns:
  - name: bulk
    items:
%s
    job: {title: "Job {{ .n }}", category: 201, price: 0.05, seats: 2, minutes: 5, countries: INT, steps: [Look], proof: [{text: Saw}]}
`, items.String()))
	cfg := config(f)
	cfg.For = 30 * time.Minute
	cfg.Interval = time.Minute
	r := run(t, cfg)
	if got := r.Operations[planner.Applied]; got < 20 || got > 30 {
		t.Errorf("%d jobs in half an hour at a request a minute", got)
	}
}

func TestWhatFollowsAnotherActionIsSimulatedToo(t *testing.T) {
	t.Parallel()
	spec := strings.Replace(weekly, "{do: restart, cron: \"@daily\"}", "{do: restart, after: {action: create}}", 1)
	r := run(t, config(parse(t, spec)))
	follows := 0
	for _, o := range r.Occurrences {
		if o.Action == "restart" && o.States[planner.Applied] > 0 {
			follows++
		}
	}
	// The jobs of the fourth create are paused at the threshold at once.
	if follows != 3 {
		t.Errorf("%d creates were followed by a restart, want 3", follows)
	}
}

func TestATimeToRunForIsNeeded(t *testing.T) {
	t.Parallel()
	cfg := config(parse(t, weekly))
	cfg.For = 0
	if _, err := simulation.Run(t.Context(), cfg); err == nil {
		t.Error("a simulation of no time runs")
	}
}

// BenchmarkSimulate tells how many operations a second are simulated.
func BenchmarkSimulate(b *testing.B) {
	f := parse(b, strings.Replace(weekly, "cap: 5, pause_at: 80%", "cap: 900", 1)+
		"      - {do: add_seats, seats: 1, every: 1h}\n")
	operations := 0
	for b.Loop() {
		for _, n := range run(b, config(f)).Operations {
			operations += n
		}
	}
	b.ReportMetric(float64(operations)/b.Elapsed().Seconds(), "operations/s")
}
