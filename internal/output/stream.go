package output

import (
	"bytes"
	"encoding/csv"
	"io"
)

// Stream writes the rows of a long list as they come. What it writes is what
// Print writes of the whole list, tables excepted: those need all rows at once,
// so that CSV takes their place.
type Stream struct {
	w      io.Writer
	format Format
	csv    *csv.Writer
	rows   int
}

// Stream begins a list with the given heads.
func (p *Printer) Stream(columns []string) (*Stream, error) {
	s := &Stream{w: p.w, format: p.format}
	switch p.format {
	case JSON, YAML, JSONL:
		return s, nil
	}
	s.csv = csv.NewWriter(p.w)
	return s, s.csv.Write(columns)
}

// Row writes one row: its cells in CSV, else its value.
func (s *Stream) Row(cells []string, value any) error {
	s.rows++
	switch s.format {
	case JSON:
		return s.element(value)
	case YAML:
		return writeYAML(s.w, []any{value})
	case JSONL:
		return writeLine(s.w, value)
	}
	return s.csv.Write(csvRecord(cells))
}

// element writes one element of a list in JSON, without the end of the list.
func (s *Stream) element(value any) error {
	b, err := encodeJSON([]any{value})
	if err != nil {
		return err
	}
	b = bytes.TrimSuffix(escapeBytes(b, escapeJSON), []byte("\n]\n"))
	if s.rows > 1 {
		b = append([]byte(","), b[1:]...)
	}
	_, err = s.w.Write(b)
	return err
}

// Close ends the list. One that was cut short is not closed but flushed, so that
// its JSON is not taken for whole.
func (s *Stream) Close() error {
	end := ""
	switch {
	case s.format == JSON && s.rows > 0:
		end = "\n]\n"
	case s.rows == 0 && (s.format == JSON || s.format == YAML):
		end = "[]\n"
	}
	if _, err := io.WriteString(s.w, end); err != nil {
		return err
	}
	return s.Flush()
}

// Flush writes what is held back.
func (s *Stream) Flush() error {
	if s.csv == nil {
		return nil
	}
	s.csv.Flush()
	return s.csv.Error()
}
