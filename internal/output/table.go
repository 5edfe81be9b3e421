package output

import (
	"fmt"
	"io"
	"regexp"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// number matches amounts, counts and shares.
var number = regexp.MustCompile(`^[+-]?\d+(\.\d+)?%?$`)

// writeTable aligns rows, numbers to the right.
func (p *Printer) writeTable(rows Rows) error {
	cells := rows.Cells
	if len(cells) == 0 && rows.Empty != "" {
		_, err := fmt.Fprintln(p.w, rows.Empty)
		return err
	}
	if p.tty && !p.All && len(cells) > NewestRows {
		cells = cells[:NewestRows]
	}
	t := table.NewWriter()
	t.SetStyle(p.style())
	t.SuppressTrailingSpaces()
	t.AppendHeader(tableRow(rows.Columns))
	for _, row := range cells {
		t.AppendRow(tableRow(row))
	}
	t.SetColumnConfigs(align(len(rows.Columns), cells))
	if _, err := io.WriteString(p.w, t.Render()+"\n"); err != nil {
		return err
	}
	if left := len(rows.Cells) - len(cells); left > 0 {
		_, err := fmt.Fprintf(p.w, "… and %d older: --all shows them\n", left)
		return err
	}
	return nil
}

// style has no borders; a terminal gets a line under the heads.
func (p *Printer) style() table.Style {
	s := table.StyleLight
	s.Box.PaddingLeft = ""
	s.Box.PaddingRight = "  "
	s.Box.UnfinishedRow = "…"
	s.Options = table.Options{SeparateHeader: p.tty}
	s.Format.Header = text.FormatUpper
	s.Size.WidthMax = p.Width
	if p.Color {
		s.Color.Header = text.Colors{text.Bold}
	}
	return s
}

func tableRow(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i, c := range cells {
		row[i] = Clean(c)
	}
	return row
}

// align puts a column to the right when it holds numbers alone.
func align(columns int, rows [][]string) []table.ColumnConfig {
	var configs []table.ColumnConfig
	for i := range columns {
		if numeric(i, rows) {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	return configs
}

// numeric reports whether a column has a number and nothing else.
func numeric(column int, rows [][]string) bool {
	found := false
	for _, row := range rows {
		if column >= len(row) || row[column] == "" {
			continue
		}
		if !number.MatchString(row[column]) {
			return false
		}
		found = true
	}
	return found
}
