package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// plain is what a program would decode a spec into that checks nothing.
type plain struct {
	Version   int
	Campaigns []struct {
		Name   string
		Job    map[string]any
		Budget struct {
			Cap     string
			PauseAt string `yaml:"pause_at"`
		}
		Actions []struct {
			Do, Cron string
			Seats    int
		}
	}
}

func largeSpec(n int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\ncampaigns:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - name: c-%d
    job:
      title: "Street signs %d"
      category: surveys/labelling
      price: 0.05
      seats: 10
      countries: INT
      minutes: 5
      steps: ["Type the signs"]
      proof: [{text: "The signs"}]
    budget: {cap: 60, pause_at: 80%%}
    actions:
      - {do: create, cron: "0 9 * * MON"}
      - {do: add_seats, seats: 2, cron: "0 12 * * *"}
`, i, i)
	}
	return []byte(b.String())
}

// BenchmarkPlan compares loading, checking and comparing a large spec with the
// bare decode of its YAML.
func BenchmarkPlan(b *testing.B) {
	const n = 20_000
	data := largeSpec(n)
	for b.Loop() {
		start := time.Now()
		var p plain
		must(b, yaml.Unmarshal(data, &p))
		bare := time.Since(start)
		start = time.Now()
		f, err := campaigns.Parse("large.yaml", data, nil)
		must(b, err)
		diffs := planner.Diff([]*campaigns.File{f}, nil)
		got := time.Since(start)
		if len(p.Campaigns) != n || len(diffs) != n {
			b.Fatalf("%d and %d campaigns", len(p.Campaigns), len(diffs))
		}
		ratio := got.Seconds() / bare.Seconds()
		b.ReportMetric(ratio, "x-decode")
		fmt.Printf("%-14s bare YAML decode %v   loaded, checked and compared %v   = %.2f x the decode\n",
			"plan", bare.Round(time.Millisecond), got.Round(time.Millisecond), ratio)
	}
}
