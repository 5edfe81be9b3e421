package campaigns_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

func load(t *testing.T, path string) *campaigns.File {
	t.Helper()
	f, err := campaigns.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func parse(t *testing.T, spec string) *campaigns.File {
	t.Helper()
	f, err := campaigns.Parse("spec.yaml", []byte(spec), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestLoadTheReference compares the complete example of the language with what
// it is to mean.
func TestLoadTheReference(t *testing.T) {
	t.Parallel()
	f := load(t, "testdata/good/reference.yaml")
	got, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/good/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("the file as JSON (-want +got):\n%s", diff)
	}
	if len(f.Warnings) != 0 {
		t.Errorf("warnings: %v", f.Warnings)
	}
}

func TestEveryForm(t *testing.T) {
	t.Parallel()
	f := load(t, "testdata/good/every-form.yaml")
	c := f.Campaigns[0]
	if f.Source != "forms" || c.Source != "forms" || c.Timezone != "UTC" || f.Timezone != "America/New_York" {
		t.Errorf("source %q and %q, zones %q and %q", f.Source, c.Source, f.Timezone, c.Timezone)
	}
	want := &campaigns.Budget{
		Cap: money.MustParse("0.5"), PauseAt: money.MustParse("0.3125"), Per: campaigns.PerDay,
		Measure: campaigns.MeasureConsumed, Resume: campaigns.ResumeWindow, Timezone: "Asia/Kathmandu",
	}
	if diff := cmp.Diff(want, c.Budget); diff != "" {
		t.Errorf("budget (-want +got):\n%s", diff)
	}
	job, err := c.Render(c.Items[2])
	if err != nil || job.Title != "no no" || job.Category != "97" || job.Proof[0].Text != "yes" {
		t.Errorf("job of %v is %+v, %v", c.Items[2], job, err)
	}
	if diff := cmp.Diff([]string{"create", "seats_1", "seats-2", "restart", "pause", "update", "again", "rate"}, ids(c)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if u, err := c.Actions[5].Set.Render(c.Items[0]); err != nil || *u.Title != "Pune" || *c.Actions[5].Set.Title != "{{ .item }}" {
		t.Errorf("update is %+v, %v", u, err)
	}
	if got, want := *c.Actions[6].After, (campaigns.After{Campaign: c.Name, Action: "seats_1"}); got != want {
		t.Errorf("again follows %+v, want %+v", got, want)
	}
}

func ids(c campaigns.Campaign) []string {
	var out []string
	for _, a := range c.Actions {
		out = append(out, a.ID)
	}
	return out
}

func TestCampaignsSurviveJSON(t *testing.T) {
	t.Parallel()
	for _, path := range slices.Concat(files(t, "testdata/good/*.yaml"), files(t, "testdata/warn/*.yaml"), files(t, "../examples/*.yaml")) {
		for _, c := range load(t, path).Campaigns {
			data, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var back campaigns.Campaign
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if diff := cmp.Diff(c, back); diff != "" {
				t.Errorf("%s of %s (-stored +read):\n%s", c.Name, path, diff)
			}
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	digest := func(change ...string) string {
		spec := strings.NewReplacer(change...).Replace(exampleSpec)
		c := parse(t, spec).Campaigns[0]
		return c.Digest()
	}
	same := digest()
	if len(same) != 32 {
		t.Errorf("digest %q", same)
	}
	for claim, change := range map[string][2]string{
		"another spelling of a price": {"price: 0.05", "price: '0.050'"},
		"another order":               {"category: surveys/labelling\n      price: 0.05", "price: 0.05\n      category: surveys/labelling"},
		"a default written out":       {"per: week}", "per: week, resume: manual}"},
		"a comment":                   {"version: 1", "version: 1 # one"},
	} {
		if digest(change[0], change[1]) != same {
			t.Errorf("%s changes the digest", claim)
		}
	}
	for claim, change := range map[string][2]string{
		"a price":       {"price: 0.05", "price: 0.050001"},
		"a zone":        {"Europe/Istanbul", "Europe/Athens"},
		"an item":       {"Agra", "Goa"},
		"a step":        {"Type every", "Write every"},
		"a schedule":    {"MON-FRI", "MON-SAT"},
		"a threshold":   {"80%", "81%"},
		"the file's":    {"version: 1", "version: 1\nmin_balance: 1"},
		"an action's":   {"now: true", "now: true, id: first"},
		"the file name": {"version: 1", "name: other"},
	} {
		if digest(change[0], change[1]) == same {
			t.Errorf("%s does not change the digest", claim)
		}
	}
}

func TestDefaultsAreMergedIntoEveryJob(t *testing.T) {
	t.Parallel()
	f := parse(t, `
teams: [{name: raters}]
defaults:
  job: {category: c, price: 1, seats: 2, countries: INT, minutes: 3, steps: [a, b], proof: [{text: p}], hidden: true, title: "{{ .item }}"}
campaigns:
  - {name: as-they-are, items: [x], job: {}}
  - {name: own, job: {title: t, price: 5, steps: [z], hidden: false}}
  - {name: team, job: {title: t, team: raters}}
`)
	base := campaigns.Job{
		Title: "{{ .item }}", Category: "c", Price: money.Dollar, Seats: 2, Countries: []string{"INT"}, Minutes: 3,
		Steps: []string{"a", "b"}, Proof: []campaigns.Proof{{Type: "text", Text: "p"}}, Hidden: true,
	}
	own, team := base, base
	own.Title, own.Price, own.Steps, own.Hidden = "t", 5*money.Dollar, []string{"z"}, false
	team.Title, team.Team, team.Countries = "t", "raters", nil
	for i, want := range []campaigns.Job{base, own, team} {
		if diff := cmp.Diff(&want, f.Campaigns[i].Job); diff != "" {
			t.Errorf("job of %s (-want +got):\n%s", f.Campaigns[i].Name, diff)
		}
	}
}

func TestFaultsInDefaultsAreToldOnce(t *testing.T) {
	t.Parallel()
	_, err := campaigns.Parse("spec.yaml", []byte(`
defaults:
  job: {category: c, price: 1, seats: 0, countries: INT, minutes: 3, steps: [a], proof: [{text: p}], title: " "}
campaigns:
  - {name: one, job: {}}
  - {name: two, job: {}}
`), nil)
	want := "spec.yaml:3:39: seats: 0 is not between 1 and 1000000\nspec.yaml:3:109: title: is empty"
	if err == nil || err.Error() != want {
		t.Errorf("Parse = %v\nwant %s", err, want)
	}
}

func TestTimesAreReadInTheNearestZone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ action, at, from, until string }{
		{"at: 2026-12-01T09:00", "2026-12-01T06:00:00Z", "", ""},
		{"at: '2026-12-01T09:00:30'", "2026-12-01T06:00:30Z", "", ""},
		{"at: 2026-12-01T09:00:30.5Z", "2026-12-01T09:00:30.5Z", "", ""},
		{"at: 2026-12-01T09:00+05:45", "2026-12-01T03:15:00Z", "", ""},
		{"at: 2026-12-01T09:00, timezone: America/New_York", "2026-12-01T14:00:00Z", "", ""},
		{"timezone: Europe/Berlin, at: 2026-03-29T02:30", "2026-03-29T01:00:00Z", "", ""},
		{"timezone: Europe/Berlin, at: 2026-10-25T02:30", "2026-10-25T00:30:00Z", "", ""},
		{"every: 6h, from: 2026-12-01, until: 2026-12-01", "", "2026-11-30T21:00:00Z", "2026-12-01T20:59:59.999999999Z"},
		{"every: 6h, from: 2026-12-01T10:00, until: 2026-12-02T10:00Z", "", "2026-12-01T07:00:00Z", "2026-12-02T10:00:00Z"},
		{"every: 6h, timezone: Africa/Cairo, from: 2026-04-24, until: 2026-04-23", "", "", ""},
	} {
		spec := strings.Replace(exampleSpec, "now: true", tc.action, 1)
		f, err := campaigns.Parse("spec.yaml", []byte(spec), nil)
		if tc.at+tc.from == "" {
			if err == nil {
				t.Errorf("{%s} is accepted", tc.action)
			}
			continue
		}
		if err != nil {
			t.Errorf("{%s}: %v", tc.action, err)
			continue
		}
		a := f.Campaigns[0].Actions[0]
		got := [3]string{stamp(a.At), stamp(a.From), stamp(a.Until)}
		if diff := cmp.Diff([3]string{tc.at, tc.from, tc.until}, got); diff != "" {
			t.Errorf("at, from and until of {%s} (-want +got):\n%s", tc.action, diff)
		}
	}
}

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func TestLoadTellsAMissingFileFromAWrongOne(t *testing.T) {
	t.Parallel()
	_, err := campaigns.Load(filepath.Join(t.TempDir(), "nowhere.yaml"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load = %v, want fs.ErrNotExist", err)
	}
	var faults campaigns.Errors
	if errors.As(err, &faults) {
		t.Error("a missing file counts as a wrong spec")
	}
}

func TestTheSourceIsTheBaseNameUnlessTheFileNamesItself(t *testing.T) {
	t.Parallel()
	f, err := campaigns.Parse("some/where/signs.yaml", []byte(exampleSpec), nil)
	if err != nil || f.Source != "signs.yaml" || f.Campaigns[0].Source != "signs.yaml" {
		t.Errorf("source is %q, %v", f.Source, err)
	}
}

func TestLineEndsAndByteOrderMarksDoNotMatter(t *testing.T) {
	t.Parallel()
	crlf := "\ufeff" + strings.ReplaceAll(exampleSpec, "\n", "\r\n")
	a, b := parse(t, exampleSpec).Campaigns[0], parse(t, crlf).Campaigns[0]
	if a.Digest() != b.Digest() {
		t.Error("the same spec with CRLF and a byte order mark means something else")
	}
}
