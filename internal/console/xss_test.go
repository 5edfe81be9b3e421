package console_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/console"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// payloads are texts that a worker, the marketplace or a spec may hold.
var payloads = []string{
	`<script>alert(1)</script>`,
	`</title><script>alert(1)</script>`,
	`</code></td></tr></table><h1>hello</h1>`,
	`<img src=x onerror=alert(1)>`,
	`<svg onload=alert(1)>`,
	`<svg><style><!--</style><img src=x onerror=alert(1)>`,
	`"><input autofocus onfocus=alert(1)>`,
	`' onmouseover='alert(1)`,
	`" onmouseover="alert(1)`,
	`" style="position:fixed;inset:0`,
	"` onmouseover=`alert(1)",
	`javascript:alert(1)`,
	`data:text/html,<script>alert(1)</script>`,
	`<a href="javascript:alert(1)">x</a>`,
	`<a href="jav&#x09;ascript:alert(1)">x</a>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<meta http-equiv="refresh" content="0;url=//evil.test">`,
	`<base href="//evil.test/">`,
	`<link rel=stylesheet href=//evil.test/x.css>`,
	`<form action="//evil.test"><button>Log in</button></form>`,
	`<math><mtext></mtext><mglyph><svg><mtext><style><path id="</style><img src=x>">`,
	`<!--><img src=x onerror=alert(1)>-->`,
	`--><script>alert(1)</script><!--`,
	`]]><script>alert(1)</script>`,
	`{{.Journal}}{{template "top"}}`,
	`${alert(1)}`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	`%3Cscript%3Ealert(1)%3C/script%3E`,
	`\u003cscript\u003ealert(1)\u003c/script\u003e`,
	"\x00<scr\x00ipt>alert(1)</script>",
	"<scr\u200bipt>",
	"\xff\xfe<script>alert(1)</script>",
	"\u202e</tpircs>)1(trela<tpircs>",
	"approved \u2066\u202e99.00\u2069",
	"\x1b[2J\x1b]0;gone\x07",
	"a\r\nSet-Cookie: x=y\r\n\r\n<script>",
	"\u2028alert(1)\u2029",
	"\U000e0041\U000e0042",
	"＜script＞alert(1)＜/script＞",
	`//evil.test/x`,
}

func TestTextOfOthersStaysText(t *testing.T) {
	t.Parallel()
	paths := []string{"/", "/op/signs/create/50%2525%20off/20261124T090000Z"}
	plain := tainted(t, "plain-text")
	var want [][]string
	var places []int
	for _, path := range paths {
		body := plain.get(t, path).body
		want = append(want, skeleton(t, body))
		places = append(places, strings.Count(words(t, body), "plain-text"))
	}
	if places[0] < 9 {
		t.Fatalf("the status page shows texts of others at %d places, want 9 or more", places[0])
	}
	for _, payload := range payloads {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			f := tainted(t, payload)
			for i, path := range paths {
				page := f.get(t, path)
				if page.StatusCode != 200 {
					t.Fatalf("%s: status %d:\n%s", path, page.StatusCode, page.body)
				}
				if diff := cmp.Diff(want[i], skeleton(t, page.body)); diff != "" {
					t.Errorf("%s: the page has other elements or attributes (-want +got):\n%s", path, diff)
				}
				checkShown(t, path, page.body, payload, places[i])
			}
		})
	}
}

// tainted is a console with a text at every place that others write to.
func tainted(t *testing.T, text string) *fixture {
	t.Helper()
	f := setup(t, func(cfg *console.Config) {
		cfg.API = func() (string, error) { return "", errors.New(text) }
	})
	f.seed(t, text)
	must(t, f.journal.Register(t.Context(), noon, &campaigns.Campaign{
		Name: "tours", Source: text, Timezone: "UTC",
		FileBudget: &campaigns.Budget{Cap: money.MustParse("9"), Per: campaigns.PerTotal},
		Actions:    []campaigns.Action{{ID: "create", Do: "create", Now: true}},
	}))
	must(t, f.journal.Steer(t.Context(), noon, "tours", journal.Paused, text))
	must(t, f.journal.Adopt(t.Context(), noon, journal.Job{
		ID: 15357, Campaign: "tours", Item: text, Title: text, Status: journal.JobOnline, Seats: 1,
	}))
	must(t, f.journal.Stop(t.Context(), text))
	return f
}

// checkShown wants the text to be there, with what steers a reader escaped, and
// on the status page at each of its places.
func checkShown(t *testing.T, path, body, payload string, places int) {
	t.Helper()
	if at := strings.IndexFunc(body, func(r rune) bool { return r != '\n' && output.Clean(string(r)) != string(r) }); at >= 0 {
		t.Errorf("%s: the page holds a control character at %q", path, body[max(0, at-40):min(len(body), at+10)])
	}
	shown, text := output.Clean(payload), words(t, body)
	if !strings.Contains(text, shown) {
		t.Errorf("%s: the page does not show %q", path, shown)
	}
	// JSON keeps neither what is not UTF-8 nor, in evidence, the signs of HTML.
	if got := strings.Count(text, shown); path == "/" && utf8.ValidString(payload) && got != places {
		t.Errorf("%s: the page shows %q at %d places, want %d", path, shown, got, places)
	}
}

// words is all text of a page.
func words(t *testing.T, body string) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, body).Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + "\n")
		}
	}
	return b.String()
}

// skeleton is a page without its text: elements, the names of their attributes,
// and where they lead.
func skeleton(t *testing.T, body string) []string {
	t.Helper()
	var out []string
	for n := range parse(t, body).Descendants() {
		switch n.Type {
		case html.ElementNode:
			line := n.Data
			for _, a := range n.Attr {
				line += " " + a.Key
				if slices.Contains([]string{"href", "src", "action", "class", "id"}, a.Key) {
					line += "=" + a.Val
				}
			}
			out = append(out, line)
		case html.CommentNode:
			out = append(out, "comment")
		}
	}
	return out
}

func parse(t *testing.T, body string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
