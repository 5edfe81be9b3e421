package money_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]money.USD{
		"0": 0, "0.05": 50_000, "4.875": 4_875_000, "100.000000": 100_000_000, ".5": 500_000, "007": 7_000_000,
		"-2.35": -2_350_000, "0.0000010": 1, "9000000": money.Max,
	} {
		if got, err := money.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"": money.ErrSyntax, "-": money.ErrSyntax, ".": money.ErrSyntax, "1.": money.ErrSyntax, "1e3": money.ErrSyntax,
		"NaN": money.ErrSyntax, "1,000": money.ErrSyntax, "$1": money.ErrSyntax, " 1": money.ErrSyntax, "+1": money.ErrSyntax,
		"0x10": money.ErrSyntax, "1.2.3": money.ErrSyntax, "--1": money.ErrSyntax, "١": money.ErrSyntax,
		"0.0000001": money.ErrPrecision, "9000000.000001": money.ErrRange, "99999999999999999999": money.ErrRange,
	} {
		if got, err := money.Parse(text); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %d, %v; want %v", text, got, err, want)
		}
	}
	if _, err := money.Parse(strings.Repeat("9", 1<<20)); err == nil || len(err.Error()) > 200 {
		t.Error("a hostile amount fills the message")
	}
}

// TestAgainstBig compares a million random decimals with math/big.
func TestAgainstBig(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	million := big.NewRat(1_000_000, 1)
	for range 1_000_000 {
		n := money.USD(rnd.Int64N(2*int64(money.Max)+1) - int64(money.Max))
		text := n.String()
		back, err := money.Parse(text)
		if err != nil || back != n {
			t.Fatalf("%d reads back from %q as %d, %v", n, text, back, err)
		}
		r, ok := new(big.Rat).SetString(text)
		if !ok || r.Mul(r, million).Cmp(new(big.Rat).SetInt64(int64(n))) != 0 {
			t.Fatalf("%q is not %d millionths", text, n)
		}
	}
}

func TestTimesAndShareAgainstBig(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		a, n, den := money.USD(rnd.Int64N(1<<45)-1<<44), rnd.Int64N(1<<30)-1<<29, rnd.Int64N(1<<20)+1
		exact := new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(n))
		got, err := a.Times(n)
		if fits := exact.IsInt64(); (err == nil) != fits || fits && int64(got) != exact.Int64() {
			t.Fatalf("%d x %d = %d, %v; want %s", a, n, got, err, exact)
		}
		share, err := a.Share(n, den)
		q, r := new(big.Int).QuoRem(exact, big.NewInt(den), new(big.Int))
		if r.Sign() != 0 {
			q.Add(q, big.NewInt(int64(exact.Sign())))
		}
		if fits := q.IsInt64(); (err == nil) != fits || fits && int64(share) != q.Int64() {
			t.Fatalf("%d x %d / %d = %d, %v; want %s", a, n, den, share, err, q)
		}
	}
}

func TestJSONIsAString(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(money.MustParse("4.875"))
	if err != nil || string(b) != `"4.875"` {
		t.Errorf("%s, %v", b, err)
	}
	for _, text := range []string{`"4.875"`, `4.875`} {
		var a money.USD
		if err := json.Unmarshal([]byte(text), &a); err != nil || a != 4_875_000 {
			t.Errorf("%s reads as %d, %v", text, a, err)
		}
	}
	var a money.USD
	if err := json.Unmarshal([]byte(`1e400`), &a); err == nil {
		t.Error("an exponent was read")
	}
}
