package campaigns_test

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// largeSpec is a file of n campaigns, each of 15 lines.
func largeSpec(n int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\ntimezone: Europe/Istanbul\nbudget: {cap: 400, per: month}\ncampaigns:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - name: street-signs-%[1]d
    job:
      title: "Street signs of district %[1]d"
      category: surveys/labelling
      price: 0.05
      seats: 20
      countries: [IN, NP]
      minutes: 5
      steps:
        - "Open https://signs.example/%[1]d and type every sign you can read."
      proof:
        - text: "The signs, one a line"
    budget: {cap: 60, pause_at: 80%%}
    actions:
      - {do: create, cron: "0 9 * * MON", until: 2027-03-31}
`, i)
	}
	return []byte(b.String())
}

// plainFile is the same file as structs that reflection can fill.
type plainFile struct {
	Version   int
	Timezone  string
	Budget    plainBudget
	Campaigns []struct {
		Name string
		Job  struct {
			Title, Category string
			Price           string
			Seats           int
			Countries       []string
			Minutes         int
			Steps           []string
			Proof           []struct{ Text, Image string }
		}
		Budget  plainBudget
		Actions []struct{ Do, Cron, Until string }
	}
}

type plainBudget struct {
	Cap, Per string
	PauseAt  string `yaml:"pause_at"`
}

// BenchmarkLoad compares loading 100,000 campaigns with what yaml.v3 alone
// takes to put them into structs: Parse is to stay within twice that.
func BenchmarkLoad(b *testing.B) {
	data := largeSpec(100_000)
	b.Run("yaml.Unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var f plainFile
			if err := yaml.Unmarshal(data, &f); err != nil || len(f.Campaigns) != 100_000 {
				b.Fatalf("%d campaigns, %v", len(f.Campaigns), err)
			}
		}
	})
	b.Run("Parse", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			f, err := campaigns.Parse("large.yaml", data, nil)
			if err != nil || len(f.Campaigns) != 100_000 {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRows reads 100,000 items from CSV and tries two templates on each.
func BenchmarkRows(b *testing.B) {
	dir := rowsDir(100_000)
	b.ReportAllocs()
	for b.Loop() {
		f, err := campaigns.Parse("rows.yaml", []byte(rowsSpec), dir)
		if err != nil || len(f.Campaigns[0].Items) != 100_000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	f, err := campaigns.Parse("rows.yaml", []byte(rowsSpec), rowsDir(1))
	if err != nil {
		b.Fatal(err)
	}
	c := &f.Campaigns[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Render(c.Items[0]); err != nil {
			b.Fatal(err)
		}
	}
}
