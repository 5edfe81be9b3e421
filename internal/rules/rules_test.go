package rules_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/rules"
)

func facts() rules.Facts {
	return rules.Facts{
		Proof:          "  Bakery \n",
		Screenshots:    2,
		Age:            36 * time.Hour,
		Worker:         12333,
		Duplicates:     1,
		WorkerApproved: 4,
		WorkerDeclined: 1,
		Agreement:      0.75,
		Item:           map[string]string{"city": "Kathmandu", "gold": "bakery"},
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{
		`trim(proof) == ""`:                         false,
		`trim(proof) == "Bakery"`:                   true,
		`lower(trim(proof)) == "bakery"`:            true,
		`trim(lower(proof)) == item.gold`:           true,
		`duplicates > earlier`:                      true,
		`upper(proof) contains "BAKE"`:              true,
		`proof matches "[Bb]akery"`:                 true,
		`proof matches "^Bakery$"`:                  false,
		`screenshots >= 1 && age > duration("1h")`:  true,
		`age > duration("1d")`:                      true,
		`age > duration("1d13h")`:                   false,
		`duplicates > 1`:                            false,
		`worker == 12333`:                           true,
		`worker in [1, 2, 3]`:                       false,
		`worker_approved > 3 * worker_declined`:     true,
		`agreement >= 0.6`:                          true,
		`item.city == "Kathmandu"`:                  true,
		`item["city"] startsWith "Kath"`:            true,
		`item.absent == ""`:                         true,
		`len(split(trim(proof), "\n")) == 1`:        true,
		`len(proof) > 3 ? screenshots > 0 : false`:  true,
		`not (screenshots == 0) and not false`:      true,
		"screenshots == 2\n&& /* why */ worker > 1": true,
		`round(agreement * 100) == 75`:              true,
	} {
		rule, err := rules.Compile(src)
		if err != nil {
			t.Errorf("Compile(%q): %v", src, err)
			continue
		}
		if got, err := rule.Match(facts()); err != nil || got != want {
			t.Errorf("%q gives %v, %v; want %v", src, got, err, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		claim, src   string
		line, column int
		message      string
	}{
		{"what is not there", `prof == ""`, 1, 1, "unknown name prof; there are proof"},
		{"what is not there, further on", `true && foo(1)`, 1, 9, "unknown name foo"},
		{"a fault on a later line", "true &&\n  screenshot > 1", 2, 3, "unknown name screenshot"},
		{"a result that is no boolean", `screenshots + 1`, 1, 1, "expected bool"},
		{"types that do not compare", `proof > 3`, 1, 7, "invalid operation"},
		{"an age against a number", `age > 3`, 1, 5, "invalid operation"},
		{"half an expression", `proof ==`, 1, 8, "unexpected token EOF"},
		{"an empty one", ``, 1, 1, "unexpected token EOF"},
		{"a duration of no unit", `age > duration("5")`, 1, 7, "not a duration"},
		{"a bad pattern", `proof matches "("`, 1, 7, "missing closing )"},
		{"the clock", `now().Year() > 3`, 1, 1, "unknown name now"},
		{"loops", `all(1..9, # > 0)`, 1, 11, "loops such as all"},
		{"repetition", `repeat(proof, 9) == ""`, 1, 1, "unknown name repeat"},
		{"variables", `let a = proof + proof; a == ""`, 1, 5, "variables are not supported"},
		{"a text without end", strings.Repeat("(", 5000), 1, 1, "longer than 4096 bytes"},
	} {
		t.Run(tc.claim, func(t *testing.T) {
			t.Parallel()
			_, err := rules.Compile(tc.src)
			var fault *rules.Error
			if !errors.As(err, &fault) {
				t.Fatalf("Compile(%q) = %v, want a *rules.Error", tc.src, err)
			}
			if !strings.Contains(fault.Message, tc.message) || strings.Contains(fault.Message, "\n") {
				t.Errorf("message %q, want one line with %q", fault.Message, tc.message)
			}
			if diff := cmp.Diff([2]int{tc.line, tc.column}, [2]int{fault.Line, fault.Column}); diff != "" {
				t.Errorf("line and column of %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestMatchTellsWhatItCannotEvaluate(t *testing.T) {
	t.Parallel()
	rule, err := rules.Compile(`int(proof) > 3`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rule.Match(facts()); err == nil {
		t.Error("a proof that is no number was compared with one")
	}
	if ok, err := rule.Match(rules.Facts{Proof: "4"}); !ok || err != nil {
		t.Errorf("4 > 3 gives %v, %v", ok, err)
	}
}

func TestFieldsNamesWhatIsReadOfTheItem(t *testing.T) {
	t.Parallel()
	rule, err := rules.Compile(`item.url != "" && item["city"] == proof && item.url != "x"`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"city", "url"}, rule.Fields()); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestReadsNamesTheVariables(t *testing.T) {
	t.Parallel()
	rule, err := rules.Compile(`lower(proof) != "" && (item.city == "Pune" || agreement > 0.5)`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"proof": true, "agreement": true, "item": true, "duplicates": false, "city": false} {
		if got := rule.Reads(name); got != want {
			t.Errorf("Reads(%q) = %v", name, got)
		}
	}
}

func TestAlwaysAndNeverTellConstants(t *testing.T) {
	t.Parallel()
	for src, want := range map[string][2]bool{
		`true`: {true, false}, `1 > 2`: {false, true}, `not false`: {true, false}, `screenshots > 0`: {false, false},
	} {
		rule, err := rules.Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{rule.Always(), rule.Never()}; got != want {
			t.Errorf("%s: always and never are %v, want %v", src, got, want)
		}
	}
}

func TestEqualTextsShareOneRuleAcrossGoroutines(t *testing.T) {
	t.Parallel()
	const src = `screenshots == 2 && proof != "shared"`
	first, err := rules.Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, err := rules.Compile(src)
			if err != nil || r != first {
				t.Errorf("Compile gave another rule, or %v", err)
				return
			}
			if ok, err := r.Match(facts()); !ok || err != nil {
				t.Errorf("Match = %v, %v", ok, err)
			}
		})
	}
	wg.Wait()
}

func TestUnreachableTellsWhatCanNeverDecide(t *testing.T) {
	t.Parallel()
	got := rules.Unreachable([]string{
		`screenshots > 0`, `1 > 2`, `screenshots > 0`, `not an expression (`, `true`, `proof == ""`,
	})
	want := map[int]string{
		1: "never holds", 2: "is never reached: rule 1 has the same condition", 5: "is never reached: rule 5 always holds",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unreachable (-want +got):\n%s", diff)
	}
}
