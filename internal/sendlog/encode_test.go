package sendlog

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// fill sets whatever a value holds to something that a line must not lose.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a \"<b>\"\n& é\u2028")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(90 * time.Second))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`{"seats": 7}`))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 5, 1, 10, 11, 12, 130_000_000, time.FixedZone("", 7200))))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

func TestALineIsToTheByteWhatItsTypeSays(t *testing.T) {
	var full, blank entry
	full.Send, full.Outcome = new(Send), new(Outcome)
	fill(reflect.ValueOf(full.Send).Elem())
	fill(reflect.ValueOf(full.Outcome).Elem())
	full.Send.Doc = nil
	blank.Send, blank.Outcome = new(Send), new(Outcome)
	stored := *full.Send
	stored.Doc, _ = json.Marshal(&stored.Op)
	for name, e := range map[string]entry{
		"a send": {Send: full.Send}, "an outcome": {Outcome: full.Outcome}, "a send as the journal keeps it": {Send: &stored},
		"an empty send": {Send: blank.Send}, "an empty outcome": {Outcome: blank.Outcome},
		"a head": {Head: &Head{Version: 1, Journal: "j", Holder: "h", Dropped: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			line, err := encode([]byte("before\n"), e)
			if err != nil {
				t.Fatal(err)
			}
			line, found := bytes.CutPrefix(line, []byte("before\n"))
			if got, _, _ := strings.Cut(string(line), "\t"); !found || got != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if _, err := decode(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
				t.Errorf("it cannot be read back: %v", err)
			}
		})
	}
}

func TestWhatCannotBeWrittenLeavesTheLinesBeforeItAlone(t *testing.T) {
	bad := Send{Op: planner.Operation{Slot: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	got, err := encode([]byte("before\n"), entry{Send: &bad})
	if err == nil || string(got) != "before\n" {
		t.Errorf("got %q and %v, want the line before and an error", got, err)
	}
}
