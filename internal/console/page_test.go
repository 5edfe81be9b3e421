package console_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/console"
)

// text is a page as a reader sees it: one line a row, cells apart.
func text(t *testing.T, body string) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, body).Descendants() {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data + " ")
		case n.Type == html.ElementNode && strings.Contains(" tr h1 h2 p li div caption ", " "+n.Data+" "):
			b.WriteString("\x01")
		}
	}
	flat := regexp.MustCompile(`\s+`).ReplaceAllString(b.String(), " ")
	return strings.ReplaceAll(strings.ReplaceAll(flat, " \x01", "\x01"), "\x01", "\n")
}

func wantLines(t *testing.T, body string, lines ...string) {
	t.Helper()
	got := text(t, body)
	for _, line := range lines {
		if !strings.Contains(got, line) {
			t.Errorf("the page lacks %q:\n%s", line, got)
		}
	}
}

func TestTheStatusPageTellsEverything(t *testing.T) {
	t.Parallel()
	f := setup(t, func(cfg *console.Config) {
		cfg.API = func() (string, error) { return "ok", nil }
	})
	f.seed(t, "Read the signs")
	must(t, f.journal.Stop(t.Context(), "a person asked"))
	page := f.get(t, "/")
	wantLines(t, page.body,
		"Everything is held. a person asked",
		"What needs a person 3",
		"Read the signs Read the signs 2026-11-24 12:00:00",
		"Budget closed: signs",
		parkedID+" create parked – 0 – 2026-11-24 12:00:00 Read the signs",
		"Balance 95.125", "Expected 95.125", "Marketplace ok",
		"signs active 1 of 1 42 of 100 4.875 of 5 7 0 – – 2026-11-25 09:00:00 create",
		"15356 signs pokhara Read the signs online 42 of 100 7 4.875 0 2026-11-24 12:00:00",
		"signs total 5 4 4.875 0 4.875 0 0 0 0.125 2026-11-24 12:00:00",
		madeID+" create applied 15356 1 4.875 2026-11-24 12:00:00",
	)
	if got := page.Header.Get("Refresh"); got != "5" {
		t.Errorf("the page refreshes by %q, want 5", got)
	}
	if got := f.get(t, "/?refresh=off").Header.Get("Refresh"); got != "" {
		t.Errorf("the page that should rest refreshes by %q", got)
	}
}

func TestACampaignsRowTellsWhatWasGotForTheMoney(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.seed(t, "Read the signs")
	f.got(t)
	wantLines(t, f.get(t, "/").body,
		"Jobs online Seats filled Spent of cap To rate Approved Cost of each Time to fill Next",
		"signs active 1 of 1 42 of 100 4.875 of 5 7 2 2.4375 1h30m0s 2026-11-25 09:00:00 create")
}

func TestAnEmptyJournalHasAPage(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	wantLines(t, f.get(t, "/").body, "Nothing does.", "Campaigns 0", "None yet: enqueue apply FILE registers some.", "Marketplace unknown")
}

func TestThePageOfAnOperationTellsItsHistory(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.seed(t, "50% off")
	wantLines(t, f.get(t, "/op/"+madeID).body,
		"Quote 4.875", "Cost 4.875", "Reserved 0", "Job 15356", "Attempts 1",
		"2026-11-24 12:00:00 queued – –",
		"2026-11-24 12:00:00 sending 1 4.875",
		"2026-11-24 12:00:00 applied 1 4.875")
}

func TestLinksLeadToOperations(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.seed(t, "50% off")
	var links int
	for n := range parse(t, f.get(t, "/").body).Descendants() {
		for _, a := range n.Attr {
			if a.Key != "href" || !strings.HasPrefix(a.Val, "/op/") {
				continue
			}
			links++
			if got := f.get(t, a.Val); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "History") {
				t.Errorf("%s: status %d", a.Val, got.StatusCode)
			}
		}
	}
	if links != 3 {
		t.Errorf("%d links to operations, want 3", links)
	}
	if got := f.get(t, "/op/no/such/op/x"); got.StatusCode != http.StatusNotFound {
		t.Errorf("an operation that is not there: %d, want 404", got.StatusCode)
	}
}

func TestManyCampaignsComeInPages(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for i := range 120 {
		must(t, f.journal.Register(t.Context(), noon, &campaigns.Campaign{
			Name: fmt.Sprintf("c%03d", i), Source: "many.yaml", Timezone: "UTC",
			Actions: []campaigns.Action{{ID: "create", Do: "create", Now: true}},
		}))
	}
	tests := []struct{ query, has, hasNot string }{
		{"", "c049", "c050"},
		{"?page=2", "c050", "c100"},
		{"?page=3", "c119", "c099"},
		{"?page=99", "c119", "c099"},
		{"?page=-1", "c000", "c050"},
		{"?page=x", "c000", "c050"},
	}
	for _, tt := range tests {
		body := f.get(t, "/"+tt.query).body
		if !strings.Contains(body, tt.has) || strings.Contains(body, tt.hasNot) {
			t.Errorf("page %q: want %s and not %s", tt.query, tt.has, tt.hasNot)
		}
	}
}

func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	f := setup(t, withToken)
	f.seed(t, "text")
	for _, path := range []string{"/", "/op/" + madeID, "/op/none", "/login"} {
		body := f.do(t, http.MethodGet, path, "", bearer(token)).body
		ids, count := map[string]bool{}, map[string]int{}
		for n := range parse(t, body).Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			count[n.Data]++
			checkElement(t, path, n, ids)
		}
		if count["h1"] != 1 || count["main"] != 1 || count["caption"] != count["table"] || count["script"]+count["style"] != 0 {
			t.Errorf("%s: elements %v", path, count)
		}
	}
}

// checkElement wants a language, names for what a reader cannot see, scopes of
// headings, and neither styles nor handlers within the page.
func checkElement(t *testing.T, path string, n *html.Node, ids map[string]bool) {
	t.Helper()
	attr := map[string]string{}
	for _, a := range n.Attr {
		attr[a.Key] = a.Val
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			t.Errorf("%s: <%s> has an inline %s", path, n.Data, a.Key)
		}
	}
	if id := attr["id"]; id != "" {
		if ids[id] {
			t.Errorf("%s: the id %q is there twice", path, id)
		}
		ids[id] = true
	}
	needs := map[string]string{"html": "lang", "th": "scope", "progress": "aria-label", "meter": "aria-label", "label": "for"}
	if need := needs[n.Data]; need != "" && attr[need] == "" {
		t.Errorf("%s: <%s> lacks %s", path, n.Data, need)
	}
}

func TestTurningThePageAndRefreshingAreKeptApart(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for i := range 60 {
		c := &campaigns.Campaign{Name: fmt.Sprintf("c%02d", i), Source: "many.yaml"}
		must(t, f.journal.Register(t.Context(), f.clock.now(), c))
	}
	for path, links := range map[string][]string{
		"/?page=1":             {`href="/?page=2"`, `href="?page=1&amp;refresh=off"`},
		"/?page=1&refresh=off": {`href="/?page=2&amp;refresh=off"`, `href="?page=1"`},
		"/?page=2&refresh=off": {`href="/?page=1&amp;refresh=off"`, `href="?page=2"`},
	} {
		body := f.get(t, path).body
		for _, link := range links {
			if !strings.Contains(body, link) {
				t.Errorf("%s has no %s", path, link)
			}
		}
	}
}

func TestOneUnreadableScheduleLeavesThePageToTheOthers(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.seed(t, "Read the signs")
	bad := &campaigns.Campaign{
		Name: "broken", Source: "many.yaml",
		Actions: []campaigns.Action{{ID: "restart", Do: campaigns.DoRestart, Cron: "not a cron"}},
	}
	must(t, f.journal.Register(t.Context(), f.clock.now(), bad))
	page := f.get(t, "/")
	if page.StatusCode != http.StatusOK {
		t.Fatalf("the page answers %d", page.StatusCode)
	}
	wantLines(t, page.body, "broken active 0 of 0 0 of 0 0, no cap 0 0 – – – restart: its schedule cannot be read")
}
