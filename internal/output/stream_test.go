package output_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/output"
)

func TestAStreamWritesWhatPrintWrites(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int      `json:"id"`
		Text string   `json:"text"`
		List []string `json:"list"`
	}
	all := []row{
		{1, "plain", []string{"a"}}, {2, "=1+1\n\x1b[31m]", []string{}}, {3, `"quoted", no` + "\u202e", nil},
	}
	for _, format := range []output.Format{output.CSV, output.JSON, output.JSONL, output.YAML} {
		for n := range len(all) + 1 {
			list := all[:n]
			rows := output.Rows{Columns: []string{"id", "text"}}
			cells := func(r row) []string { return []string{"1", r.Text} }
			for _, r := range list {
				rows.Cells = append(rows.Cells, cells(r))
			}
			var want, got bytes.Buffer
			if err := output.New(&want, format, false).Print(rows, list); err != nil {
				t.Fatal(err)
			}
			s, err := output.New(&got, format, false).Stream(rows.Columns)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				if err := s.Row(cells(r), r); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("%s of %d rows (-print +stream):\n%s", format, n, diff)
			}
		}
	}
}
