package planner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

func TestIdentitiesOfAllItemsDiffer(t *testing.T) {
	t.Parallel()
	items := []string{
		"a", "A", "a b", "a%20b", "a/b", "a%2Fb", "ä", "a\u0308", "\xff", "\xfe", "\ufffd", "%", "%%", "", "-", "a@1", "a@1@2", "a\nb", "日本", "a\x00b",
	}
	seen := map[string]string{}
	for _, item := range items {
		id := planner.NewID("c", "create", item, noon)
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %q share %s", item, other, id)
		}
		seen[id] = item
		if strings.Count(id, "/") != 3 || strings.ContainsAny(id, " \n\t\"'\\") {
			t.Errorf("%q is not one word with three slashes", id)
		}
	}
}

func TestAnIdentityIsOfItsPartsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.String().Draw(rt, "a"), rapid.String().Draw(rt, "b")
		zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(rt, "zone")*3600)
		one, other := planner.NewID("c", "x", a, noon), planner.NewID("c", "x", b, noon.In(zone))
		if (one == other) != (a == b) {
			rt.Fatalf("%q and %q: %s and %s", a, b, one, other)
		}
		if strings.Count(one, "/") != 3 {
			rt.Fatalf("%s has not three slashes", one)
		}
	})
}

func TestMarkersOfAHundredThousandItemsDiffer(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int, 100_000)
	for i := range 100_000 {
		m := planner.Marker("signs", "create", fmt.Sprintf("item-%d", i), noon)
		if other, taken := seen[m]; taken {
			t.Fatalf("items %d and %d share %s", i, other, m)
		}
		seen[m] = i
	}
}

func TestAMarkerTellsItsSlotAndIsFoundAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slot := time.Unix(rapid.Int64Range(0, 32_503_680_000).Draw(rt, "seconds"), 0).UTC()
		m := planner.Marker(rapid.String().Draw(rt, "campaign"), "create", rapid.String().Draw(rt, "item"), slot)
		got, ok := planner.MarkerSlot(m)
		if !ok || !got.Equal(slot) {
			rt.Fatalf("%s tells %s, want %s", m, got, slot)
		}
		before := rapid.StringMatching(`[a-z :-]{0,10}`).Draw(rt, "before")
		after := rapid.SampledFrom([]string{"", " ", ".", "</p>", "\r"}).Draw(rt, "after")
		if found := planner.FindMarker([]string{"Open the page.", before + m + after, "Thank you."}); found != m {
			rt.Fatalf("found %q in %q", found, before+m+after)
		}
	})
}

func TestMarkersOfOneCreateShareTheirName(t *testing.T) {
	t.Parallel()
	one := planner.Marker("c", "create", "a", noon)
	next := planner.Marker("c", "create", "a", noon.Add(time.Second))
	if planner.MarkerName(one) != planner.MarkerName(next) || one == next {
		t.Errorf("markers are %s and %s", one, next)
	}
	for _, other := range []string{
		planner.Marker("c", "create", "b", noon), planner.Marker("c", "weekly", "a", noon), planner.Marker("d", "create", "a", noon),
		planner.Marker("c\x00create", "", "a", noon),
	} {
		if planner.MarkerName(other) == planner.MarkerName(one) {
			t.Errorf("%s and %s share a name", other, one)
		}
	}
	op := planner.Operation{Campaign: "c", Action: "create", Item: "a", Slot: noon}
	if op.Marker() != one {
		t.Errorf("the operation's marker is %s, want %s", op.Marker(), one)
	}
}

func TestWhatIsNoMarker(t *testing.T) {
	t.Parallel()
	good := planner.Marker("c", "create", "a", noon)
	for _, text := range []string{
		"", "ref:", "ref:1", good[:len(good)-1], strings.ToLower(good), strings.Replace(good, "-", "_", 1),
		strings.Replace(good, "ref:", "REF:", 1), "ref:IIIIIII-OOOOOOOOOO",
	} {
		if found := planner.FindMarker([]string{text}); found != "" {
			t.Errorf("found %q in %q", found, text)
		}
		if slot, ok := planner.MarkerSlot(text); ok {
			t.Errorf("%q tells %s", text, slot)
		}
		if name := planner.MarkerName(text); name != "" {
			t.Errorf("%q has the name %q", text, name)
		}
	}
	if found := planner.FindMarker([]string{good, "ref:none"}); found != good {
		t.Errorf("found %q before a line that only looks like one", found)
	}
	if found := planner.FindMarker(nil); found != "" {
		t.Errorf("found %q in nothing", found)
	}
}
