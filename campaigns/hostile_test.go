package campaigns_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// TestHostileFiles holds that what would exhaust a careless reader is refused,
// with a message that says why. The deadline is a guard against loops, far
// above what any of them takes.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", i-1), 10), ", "))
	}
	block := "a: |\n" + strings.Repeat("  words and words\n", 10<<20/18)
	for _, tc := range []struct {
		claim, spec, message string
	}{
		{"a file of 65 MiB", strings.Repeat("- a\n", 65<<18), "larger than 64 MiB"},
		{"a NUL byte", "version: 1\nname: a\x00b\n", "control character 0x00"},
		{"an escape sequence of a terminal", "name: \x1b[31mred\n", "control character 0x1b"},
		{"bytes that are no UTF-8", "name: M\xfcnchen\n", "not UTF-8"},
		{"UTF-16", "\xff\xfev\x00", "control character"},
		{"a value of 10 MiB on one line", "name: " + strings.Repeat("x", 10<<20), "longer than 64 KiB"},
		{"a value of 10 MiB in quotes", "name: \"" + strings.Repeat("\\n", 5<<20) + "\"", "longer than 64 KiB"},
		{"a value of 10 MiB on many lines", block, "longer than 64 KiB"},
		{"10 MiB of nothing", "name: a\n" + strings.Repeat("\n", 10<<20), "longer than 64 KiB"},
		{"a value that only looks structured", "name: " + strings.Repeat("a, ", 30_000), "longer than 64 KiB"},
		{"lists 200 deep", "name: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "100 levels"},
		{"mappings 200 deep", strings.Repeat("{a: ", 200) + strings.Repeat("}", 200), "100 levels"},
		{"a million open brackets", strings.Repeat("[", 1<<20), "max depth"},
		{"a million dashes", strings.Repeat("- ", 1<<20), "max depth"},
		{"aliases that multiply", bomb, "aliases stand for more than"},
		{"an alias within itself", "a: &a {b: *a}\n", "contains itself"},
		{"a merge within itself", "a: &a {<<: *a}\n", "contains itself"},
		{"a key of an alias", "a: &a b\n*a : c\n", "a key must be a plain word"},
		{"a number as a list", "version: [1]\n", "single value"},
		{"nothing", "", "empty"},
		{"a comment", "# nothing\n", "empty"},
		{"null", "null\n", "must be a mapping"},
		{"a scalar", "hello\n", "must be a mapping"},
		{"ten thousand documents", strings.Repeat("---\n", 10_000), "second document"},
		{"a rule without end", ruleSpec(strings.Repeat("(", 5000)), "longer than 4096"},
		{"a deep rule", ruleSpec(strings.Repeat("(", 4000)), "when:"},
		{"a template that grows", templateSpec(strings.Repeat("{{ .item }}", 2000), strings.Repeat("x", 100)), "grows longer"},
		{"a template that counts", templateSpec("{{ range 1000000000 }}x{{ end }}", "x"), "not supported"},
		{"a template that calls itself", templateSpec("{{ template `` }}", "x"), "not supported"},
	} {
		t.Run(tc.claim, func(t *testing.T) {
			t.Parallel()
			done := make(chan error, 1)
			go func() {
				_, err := campaigns.Parse("hostile.yaml", []byte(tc.spec), nil)
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil || !strings.Contains(err.Error(), tc.message) {
					t.Fatalf("Parse = %.300v, want %q", err, tc.message)
				}
				checkFaults(t, err)
			case <-time.After(time.Minute):
				t.Fatal("still parsing after a minute")
			}
		})
	}
}

func ruleSpec(when string) string {
	return strings.Replace(rowsSpec, "items: {rows: cities.csv, key: city}",
		fmt.Sprintf("items: [{city: a, url: b}]\n    actions: [{do: rate, every: 6h, rules: [{when: %q, verdict: approve}]}]", when), 1)
}

func templateSpec(step, item string) string {
	spec := strings.Replace(rowsSpec, "{rows: cities.csv, key: city}", "["+item+"]", 1)
	spec = strings.Replace(spec, "{{ .city }}", "a city", 1)
	return strings.Replace(spec, `"Open {{ .url }} and type every sign you can read."`, "'"+step+"'", 1)
}

// TestAliasesWithinReason holds that sharing is fine where it is not a bomb.
func TestAliasesWithinReason(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("version: 1\ncampaigns:\n")
	b.WriteString(`  - name: first
    job: &job
      title: A title
      category: &category surveys/labelling
      price: 0.05
      seats: 10
      countries: &countries [IN, NP]
      minutes: 5
      steps: [Do this]
      proof: [{text: The answer}]
`)
	for i := range 1000 {
		fmt.Fprintf(&b, "  - name: c-%d\n    job: {<<: *job, seats: %d, countries: *countries}\n", i, i+1)
	}
	f, err := campaigns.Parse("shared.yaml", []byte(b.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	last := f.Campaigns[1000].Job
	if last.Seats != 1000 || last.Title != "A title" || len(last.Countries) != 2 {
		t.Errorf("merged job is %+v", last)
	}
}

func TestMergesTakeWhatIsWrittenOutThenWhatComesFirst(t *testing.T) {
	t.Parallel()
	f, err := campaigns.Parse("merge.yaml", []byte(`
campaigns:
  - name: one
    job: &one
      {title: One, category: c, price: 1, seats: 1, countries: INT, minutes: 1, steps: [a], proof: [{text: a}]}
  - name: two
    job: &two {<<: *one, title: Two, seats: 2}
  - name: three
    job: {<<: [*two, *one], minutes: 3}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if j := f.Campaigns[2].Job; j.Title != "Two" || j.Seats != 2 || j.Minutes != 3 || j.Category != "c" {
		t.Errorf("merged job is %+v", j)
	}
}

func TestFaultsAreCapped(t *testing.T) {
	t.Parallel()
	spec := "version: 1\ncampaigns:\n" + strings.Repeat("  - {nom: x}\n", 20_000)
	_, err := campaigns.Parse("many.yaml", []byte(spec), nil)
	faults, ok := err.(campaigns.Errors)
	if !ok || len(faults) != 1001 {
		t.Fatalf("%d faults, %T", len(faults), err)
	}
	if last := faults[1000].Message; !strings.Contains(last, "more than 1000 faults") {
		t.Errorf("the last is %q", last)
	}
}
