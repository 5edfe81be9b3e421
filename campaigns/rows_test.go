package campaigns_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

const rowsSpec = `
version: 1
campaigns:
  - name: street-signs
    items: {rows: cities.csv, key: city}
    job:
      title: "Street signs in {{ .city }}"
      category: surveys/labelling
      price: 0.05
      seats: 100
      countries: INT
      minutes: 5
      steps: ["Open {{ .url }} and type every sign you can read."]
      proof: [{text: The signs}]
`

// rowsDir holds cities.csv with n rows.
func rowsDir(n int) fstest.MapFS {
	var b strings.Builder
	b.WriteString("city,url,note\n")
	for i := range n {
		fmt.Fprintf(&b, "city-%d,https://signs.example/%d,\"a note, quoted\"\n", i, i)
	}
	return fstest.MapFS{"cities.csv": {Data: []byte(b.String())}}
}

// loadItems parses a spec of one campaign with these items and a file beside it.
func loadItems(t *testing.T, items, file, content string) ([]campaigns.Item, error) {
	t.Helper()
	spec := strings.Replace(rowsSpec, "{rows: cities.csv, key: city}", items, 1)
	spec = strings.NewReplacer("{{ .city }}", "a city", "{{ .url }}", "the page").Replace(spec)
	f, err := campaigns.Parse("dir/spec.yaml", []byte(spec), fstest.MapFS{file: {Data: []byte(content)}})
	if err != nil {
		return nil, err
	}
	return f.Campaigns[0].Items, nil
}

func TestItems(t *testing.T) {
	t.Parallel()
	fields := func(pairs ...string) map[string]string {
		m := make(map[string]string)
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, tc := range []struct {
		claim, items, file, content string
		want                        []campaigns.Item
	}{
		{
			"CSV with a byte order mark, CRLF and quotes",
			"{rows: a.csv, key: city}", "a.csv", "\ufeffcity,note\r\n\"New, Delhi\",\"one\ntwo\"\r\n\r\nPune,\r\n",
			[]campaigns.Item{
				{Key: "New, Delhi", Fields: fields("city", "New, Delhi", "note", "one\ntwo")},
				{Key: "Pune", Fields: fields("city", "Pune", "note", "")},
			},
		},
		{
			"JSONL keeps the digits of numbers",
			"{rows: sub/a.jsonl, key: id}", "sub/a.jsonl",
			"{\"id\": 12345678901234567890, \"x\": 1.50, \"y\": true, \"z\": null}\r\n\n{\"id\": \"b\"}",
			[]campaigns.Item{
				{Key: "12345678901234567890", Fields: fields("id", "12345678901234567890", "x", "1.50", "y", "true", "z", "")},
				{Key: "b", Fields: fields("id", "b")},
			},
		},
		{
			"without a key the fields make it, in whatever order they come",
			"[{a: x, b: y}, {b: x, a: y}]", "a.csv", "",
			[]campaigns.Item{
				{Key: "629d7e1500b4c2a8", Fields: fields("a", "x", "b", "y")},
				{Key: "af48d9c600476fae", Fields: fields("a", "y", "b", "x")},
			},
		},
		{
			"plain values are their own keys and keep their text",
			"[Pune, 007, no, 1.50, \"\\u00e9\"]", "a.csv", "",
			[]campaigns.Item{
				{Key: "Pune", Fields: fields("item", "Pune")}, {Key: "007", Fields: fields("item", "007")},
				{Key: "no", Fields: fields("item", "no")}, {Key: "1.50", Fields: fields("item", "1.50")},
				{Key: "é", Fields: fields("item", "é")},
			},
		},
		{
			"a matrix is a product in the order of its keys, less what is excluded",
			"{matrix: {city: [Pune, Agra], lang: [en, hi]}, exclude: [{city: Agra, lang: hi}]}", "a.csv", "",
			[]campaigns.Item{
				{Key: "Pune-en", Fields: fields("city", "Pune", "lang", "en")},
				{Key: "Pune-hi", Fields: fields("city", "Pune", "lang", "hi")},
				{Key: "Agra-en", Fields: fields("city", "Agra", "lang", "en")},
			},
		},
		{
			"the long form of a list may name a key",
			"{list: [{city: Pune, n: 1}, {city: Agra, n: 2}], key: n}", "a.csv", "",
			[]campaigns.Item{
				{Key: "1", Fields: fields("city", "Pune", "n", "1")}, {Key: "2", Fields: fields("city", "Agra", "n", "2")},
			},
		},
	} {
		t.Run(tc.claim, func(t *testing.T) {
			t.Parallel()
			got, err := loadItems(t, tc.items, tc.file, tc.content)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddingARowLeavesTheOtherItemsAsTheyWere(t *testing.T) {
	t.Parallel()
	before, err := loadItems(t, "{rows: a.csv}", "a.csv", "a,b\n1,2\n3,4\n")
	if err != nil {
		t.Fatal(err)
	}
	after, err := loadItems(t, "{rows: a.csv}", "a.csv", "b,a\n9,9\n4,3\n2,1\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, []campaigns.Item{after[2], after[1]}); diff != "" {
		t.Errorf("items (-before +after):\n%s", diff)
	}
}

func TestRowsStayInTheDirectoryOfTheSpec(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(outside, "secret.csv"): "city,url\nPune,x\n",
		filepath.Join(dir, "inside.csv"):     "city,url\nPune,x\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"leak.csv": filepath.Join(outside, "secret.csv"), "link.csv": "inside.csv", "up": outside,
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for rows, allowed := range map[string]bool{
		"inside.csv": true, "./inside.csv": true, "x/../inside.csv": true, "link.csv": true,
		"leak.csv": false, "up/secret.csv": false, "../" + filepath.Base(outside) + "/secret.csv": false,
		filepath.Join(outside, "secret.csv"): false, "": false, ".": false,
	} {
		path := filepath.Join(dir, "spec.yaml")
		spec := strings.Replace(rowsSpec, "cities.csv", fmt.Sprintf("%q", rows), 1)
		if err := os.WriteFile(path, []byte(spec), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := campaigns.Load(path); (err == nil) != allowed {
			t.Errorf("rows: %q gives %v, want it allowed: %v", rows, err, allowed)
		}
	}
}

func TestRowsWithoutADirectory(t *testing.T) {
	t.Parallel()
	if _, err := campaigns.Parse("spec.yaml", []byte(rowsSpec), nil); err == nil {
		t.Error("rows were read from nowhere")
	}
}

func TestHostileRows(t *testing.T) {
	t.Parallel()
	for claim, content := range map[string]string{
		"a NUL byte":          "city,url\nPu\x00ne,x\n",
		"another encoding":    "city,url\nM\xfcnchen,x\n",
		"a bell":              "city,url\nPu\ane,x\n",
		"an unclosed quote":   "city,url\n\"Pune,x\n" + strings.Repeat("a,b\n", 1000),
		"a key of no length":  "city,url\n,x\n",
		"a key of two lines":  "city,url\n\"a\nb\",x\n",
		"a column of no name": "city,\nPune,x\n",
		"nothing":             "",
		"no header":           "\n\n",
	} {
		spec := "{rows: a.csv, key: city}"
		if _, err := loadItems(t, spec, "a.csv", content); err == nil {
			t.Errorf("%s is accepted", claim)
		}
	}
}

func TestFaultsOfManyRowsAreCapped(t *testing.T) {
	t.Parallel()
	_, err := loadItems(t, "{rows: a.csv, key: city}", "a.csv", "city,url\n"+strings.Repeat("Pune\n", 50_000))
	faults, ok := err.(campaigns.Errors)
	if !ok || len(faults) > 1100 {
		t.Fatalf("%d faults, %T", len(faults), err)
	}
	if last := faults[len(faults)-1]; last.File != filepath.Join("dir", "a.csv") || last.Line < 2 {
		t.Errorf("the last fault is at %v", last)
	}
}
