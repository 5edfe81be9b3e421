package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"gopkg.in/yaml.v3"
)

type row struct {
	Name  string   `json:"name"`
	Cost  string   `json:"cost"`
	Seats int64    `json:"job_seats"`
	Done  bool     `json:"done"`
	Tags  []string `json:"tags"`
	Left  *int     `json:"left"`
}

var (
	values = []row{
		{Name: "street-signs", Cost: "4.875", Seats: 100, Tags: []string{}},
		{Name: "yes", Cost: "-0.05", Seats: 9007199254740993, Done: true, Tags: []string{"a: b", "1"}},
	}
	rows = output.Rows{
		Columns: []string{"name", "cost"},
		Cells:   [][]string{{"street-signs", "4.875"}, {"yes", "-0.05"}},
	}
)

// show prints and returns what was printed.
func show(t *testing.T, format output.Format, tty bool, rows output.Rows, value any) string {
	t.Helper()
	var buf bytes.Buffer
	if err := output.New(&buf, format, tty).Print(rows, value); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestFormatsOfRows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format output.Format
		want   string
	}{
		{output.Table, "NAME           COST\nstreet-signs  4.875\nyes           -0.05\n"},
		{output.CSV, "name,cost\nstreet-signs,4.875\nyes,-0.05\n"},
		{output.JSON, `[
  {
    "name": "street-signs",
    "cost": "4.875",
    "job_seats": 100,
    "done": false,
    "tags": [],
    "left": null
  },
  {
    "name": "yes",
    "cost": "-0.05",
    "job_seats": 9007199254740993,
    "done": true,
    "tags": [
      "a: b",
      "1"
    ],
    "left": null
  }
]
`},
		{output.YAML, `- name: street-signs
  cost: "4.875"
  job_seats: 100
  done: false
  tags: []
  left: null
- name: "yes"
  cost: "-0.05"
  job_seats: 9007199254740993
  done: true
  tags:
    - 'a: b'
    - "1"
  left: null
`},
	} {
		t.Run(string(test.format), func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, show(t, test.format, false, rows, values)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFormatTakesOnlyItsNames(t *testing.T) {
	t.Parallel()
	var f output.Format
	for _, name := range []string{"table", "json", "csv", "yaml"} {
		if err := f.Set(name); err != nil || f.String() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.Set("xml"); err == nil || !strings.Contains(err.Error(), `"xml"`) || f != output.YAML {
		t.Errorf("xml: %v, format %s", err, f)
	}
}

// many is more rows than a terminal gets.
func many() output.Rows {
	r := output.Rows{Columns: []string{"id"}}
	for i := range 73 {
		r.Cells = append(r.Cells, []string{fmt.Sprintf("op-%d", 73-i)})
	}
	return r
}

func TestTerminalGetsTheNewestRows(t *testing.T) {
	t.Parallel()
	got := show(t, output.Table, true, many(), nil)
	if !strings.Contains(got, "op-24\n") || strings.Contains(got, "op-23\n") || !strings.Contains(got, "23 older: --all") {
		t.Errorf("a terminal gets\n%s", got)
	}
	if got := show(t, output.Table, false, many(), nil); !strings.Contains(got, "op-1\n") {
		t.Errorf("a pipe gets\n%s", got)
	}
	var buf bytes.Buffer
	p := output.New(&buf, output.Table, true)
	p.All = true
	if err := p.Print(many(), nil); err != nil || !strings.Contains(buf.String(), "op-1\n") {
		t.Errorf("with All a terminal gets\n%s", buf.String())
	}
}

func TestEmptyTableSaysSo(t *testing.T) {
	t.Parallel()
	empty := output.Rows{Columns: []string{"id"}, Empty: "no operations"}
	if got := show(t, output.Table, false, empty, []row{}); got != "no operations\n" {
		t.Errorf("table: %q", got)
	}
	if got := show(t, output.JSON, false, empty, []row{}); got != "[]\n" {
		t.Errorf("json: %q", got)
	}
	if got := show(t, output.CSV, false, empty, []row{}); got != "id\n" {
		t.Errorf("csv: %q", got)
	}
}

func TestColorOnlyOnATerminalThatWantsIt(t *testing.T) {
	text.EnableColors()
	for _, test := range []struct {
		noColor string
		tty     bool
		want    bool
	}{{"", true, true}, {"1", true, false}, {"0", true, false}, {"", false, false}} {
		t.Setenv("NO_COLOR", test.noColor)
		if got := strings.Contains(show(t, output.Table, test.tty, rows, nil), "\x1b["); got != test.want {
			t.Errorf("NO_COLOR=%q, terminal %v: coloured %v", test.noColor, test.tty, got)
		}
	}
}

func TestTableIsCutAtTheWidth(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	p := output.New(&buf, output.Table, true)
	p.Width, p.Color = 20, false
	wide := output.Rows{Columns: []string{"a"}, Cells: [][]string{{strings.Repeat("x", 100)}}}
	if err := p.Print(wide, nil); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(buf.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 20 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
}

// hostile are texts that others may write.
var hostile = []string{
	"\x1b[2J\x1b]0;pwned\a", "\u202egnp.exe", "a\u2066b", "line\nbreak\r\ttab", "\u0085\u009b31m", "\x7f",
	"tag\U000e0041", "zero\u200bwidth", "\ufeffbom", "bad\xff", "sep\u2028\u2029", "fine: Ünïcode 漢字 👩\u200d👩 می\u200cخواهم",
}

func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	for _, format := range []output.Format{output.Table, output.CSV, output.JSON, output.YAML} {
		for _, s := range hostile {
			got := show(t, format, false, output.Rows{Columns: []string{"c"}, Cells: [][]string{{s}}}, []string{s})
			for _, r := range got {
				if r != '\n' && r != output.NoSteering(r) {
					t.Errorf("%s of %q holds %U:\n%q", format, s, r, got)
				}
			}
		}
	}
}

func TestEncodedTextIsTheSameText(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		want := strings.ToValidUTF8(s, "\ufffd")
		for format, decode := range map[output.Format]func([]byte, any) error{
			output.JSON: json.Unmarshal, output.YAML: yaml.Unmarshal,
		} {
			var got []string
			b := show(t, format, false, output.Rows{}, []string{s})
			if err := decode([]byte(b), &got); err != nil || got[0] != want {
				t.Errorf("%s of %q reads back as %q, %v:\n%s", format, s, got, err, b)
			}
		}
	}
}

func TestCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)",
		"＝1": "'＝1", "\t=1": `\t=1`, "\r=1": `\u000d=1`, "-0.05": "-0.05", "+3": "+3", "": "", "a=b": "a=b",
		`"quoted", comma`: `"quoted", comma`,
	} {
		out := show(t, output.CSV, false, output.Rows{Columns: []string{"c", "d"}, Cells: [][]string{{cell, "x"}}}, nil)
		records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || records[1][0] != want {
			t.Errorf("%q becomes %q, %v; want %q", cell, records, err, want)
		}
	}
}
