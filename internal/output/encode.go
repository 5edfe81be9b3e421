package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"

	"gopkg.in/yaml.v3"
)

// writeJSON writes indented JSON in which whatever would steer a terminal is
// escaped. The value is the same.
func writeJSON(w io.Writer, value any) error {
	b, err := encodeJSON(value)
	if err != nil {
		return err
	}
	_, err = w.Write(escapeBytes(b, escapeJSON))
	return err
}

// writeLines writes each element of a list, or a single value, as a line of JSON.
func writeLines(w io.Writer, value any) error {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return writeLine(w, value)
	}
	for i := range list.Len() {
		if err := writeLine(w, list.Index(i).Interface()); err != nil {
			return err
		}
	}
	return nil
}

func writeLine(w io.Writer, value any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(escapeBytes(buf.Bytes(), escapeJSON))
	return err
}

func encodeJSON(value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(value)
	return buf.Bytes(), err
}

// escapeJSON writes what is beyond 16 bits as the pair that JSON wants.
func escapeJSON(r rune) string {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return escape(high) + escape(low)
	}
	return escape(r)
}

// escapeForYAML keeps what is beyond 16 bits, which YAML reads as it is and
// not as a pair.
func escapeForYAML(r rune) string {
	if r > 0xFFFF {
		return string(r)
	}
	return escape(r)
}

// escapeBytes replaces the characters beyond ASCII that steer, which stand
// only within strings.
func escapeBytes(b []byte, escape func(rune) string) []byte {
	beyond := func(r rune) bool { return r >= 0x7f && steers(r) }
	if bytes.IndexFunc(b, beyond) < 0 {
		return b
	}
	var out bytes.Buffer
	for _, r := range string(b) {
		if beyond(r) {
			out.WriteString(escape(r))
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

// writeYAML goes through JSON, so that keys, their order and the types are
// those of JSON, which YAML contains.
func writeYAML(w io.Writer, value any) error {
	b, err := encodeJSON(value)
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(escapeBytes(b, escapeForYAML), &doc); err != nil {
		return err
	}
	restyle(&doc)
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return err
	}
	_, err = w.Write(escapeBytes(buf.Bytes(), escape))
	return err
}

// otherInYAML11 matches strings that older readers of YAML take for a truth
// value or a number of base 60.
var otherInYAML11 = regexp.MustCompile(`^(?i:y|yes|n|no|on|off|[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?)$`)

// restyle turns JSON's braces and quotes into the usual style of YAML. A string
// that needs escapes, or that others would misread, keeps its quotes.
func restyle(n *yaml.Node) {
	n.Style = 0
	if n.Tag == "!!str" && (strings.IndexFunc(n.Value, steersText) >= 0 || otherInYAML11.MatchString(n.Value)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, child := range n.Content {
		restyle(child)
	}
}

// steersText is steers for a text of several lines.
func steersText(r rune) bool { return r != '\n' && steers(r) }

// writeCSV writes the heads and every row.
func writeCSV(w io.Writer, rows Rows) error {
	out := csv.NewWriter(w)
	if err := out.Write(rows.Columns); err != nil {
		return err
	}
	for _, row := range rows.Cells {
		if err := out.Write(csvRecord(row)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvRecord(row []string) []string {
	record := make([]string, len(row))
	for i, cell := range row {
		record[i] = csvCell(cell)
	}
	return record
}

// csvCell keeps a spreadsheet from taking a text for a formula: it gets an
// apostrophe in front, as a person would type it. Numbers stay as they are.
func csvCell(text string) string {
	text = Clean(text)
	if text == "" || number.MatchString(text) {
		return text
	}
	if strings.ContainsRune("=+-@＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
