package console_test

import (
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/journal"
)

func TestAFrozenJournalIsTold(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	const said, reason = "Nothing is sent by any runner.", "Redis lost writes; run `enqueue recover FILE…`"
	for _, want := range []float64{0, 1, 0} {
		if want == 1 {
			must(t, f.journal.Freeze(t.Context(), "id", journal.Freeze{Holder: "h", Reason: reason, At: noon}))
		} else {
			must(t, f.journal.Thaw(t.Context(), "h"))
		}
		page, scrape := text(t, f.get(t, "/").body), f.scrape(t)
		for _, name := range []string{"campaign_runner_sends_frozen", "campaign_runner_attention"} {
			if got, ok := scrape[name]; !ok || got != want {
				t.Errorf("%s is %v (%t), want %v", name, got, ok, want)
			}
		}
		for _, part := range []string{said, reason, "enqueue recover"} {
			if got := strings.Contains(page, part); got != (want == 1) {
				t.Errorf("%q is told: %t, want %t:\n%s", part, got, want == 1, page)
			}
		}
	}
}
