// Package output shows results: rows as a table, JSON, CSV or YAML, progress
// while something runs, and a question where a person must agree. Whatever
// others wrote is shown so that it cannot steer a terminal or a spreadsheet.
package output

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// Format is how rows are shown. It is a pflag.Value.
type Format string

// The formats. Table is the default of every command.
const (
	Table Format = "table"
	JSON  Format = "json"
	CSV   Format = "csv"
	YAML  Format = "yaml"
	// JSONL is one JSON value a line, for long lists.
	JSONL Format = "jsonl"
)

// Set accepts the name of a format.
func (f *Format) Set(name string) error {
	switch Format(name) {
	case Table, JSON, CSV, YAML, JSONL:
		*f = Format(name)
		return nil
	}
	return fmt.Errorf("%q is no format: give table, json, jsonl, csv or yaml", name)
}

// String is the name.
func (f *Format) String() string { return string(*f) }

// Type is what help shows in a value's place.
func (f *Format) Type() string { return "format" }

// NewestRows is how many rows a table on a terminal has unless all are asked
// for.
const NewestRows = 50

// Rows are what a command found.
type Rows struct {
	// Columns are the heads, in order.
	Columns []string
	// Cells has a text for each column of each row, the newest row first.
	Cells [][]string
	// Empty is said in place of a table without rows, "" for nothing.
	Empty string
}

// Printer writes results to one place.
type Printer struct {
	w      io.Writer
	format Format
	tty    bool
	// All shows every row on a terminal too. Default false: the newest 50.
	All bool
	// Color allows bold heads. Default: on a terminal without NO_COLOR.
	Color bool
	// Width cuts the lines of a table, in columns of a terminal. Default: the
	// terminal's width, and 0, no cut, elsewhere.
	Width int
}

// New returns a printer that writes to w. tty says that w is a terminal.
func New(w io.Writer, format Format, tty bool) *Printer {
	p := &Printer{w: w, format: format, tty: tty, Color: tty && os.Getenv("NO_COLOR") == ""}
	if f, ok := w.(*os.File); ok && tty {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			p.Width = width
		}
	}
	return p
}

// IsTerminal reports whether v is a file that is a terminal.
func IsTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Print shows rows as a table or CSV, or value as JSON or YAML, which have the
// same keys. value is the whole result; rows may leave out parts of it.
func (p *Printer) Print(rows Rows, value any) error {
	switch p.format {
	case JSON:
		return writeJSON(p.w, value)
	case YAML:
		return writeYAML(p.w, value)
	case JSONL:
		return writeLines(p.w, value)
	case CSV:
		return writeCSV(p.w, rows)
	default:
		return p.writeTable(rows)
	}
}
