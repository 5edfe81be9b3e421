package campaigns

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// rowSet is what a rows file holds. The columns of CSV are known; those of
// JSONL may differ from line to line, and columns is nil.
type rowSet struct {
	file    string
	columns map[string]string
	rows    []row
}

type row struct {
	fields       map[string]string
	line, column int
}

// readRows reads a CSV or JSONL file. It returns nil after a fault, which is
// told at the spec's `rows` or at its place in the file itself.
func (d *decoder) readRows(n *yaml.Node, name, clean string) *rowSet {
	read, ok := map[string]func(*decoder, *rowSet, []byte) bool{
		".csv": (*decoder).readCSV, ".jsonl": (*decoder).readJSONL,
	}[strings.ToLower(path.Ext(clean))]
	switch {
	case !ok:
		d.at(n, "rows: %q is neither a .csv nor a .jsonl file", clip(name))
		return nil
	case !fs.ValidPath(clean):
		d.at(n, "rows: %q is not in the spec's directory", clip(name))
		return nil
	case d.dir == nil:
		d.at(n, "rows: %q cannot be read here", clip(name))
		return nil
	}
	data, err := readRegular(d.dir, clean)
	if err != nil {
		d.at(n, "rows: cannot read %q: %v", clip(name), plain(err))
		return nil
	}
	set := &rowSet{file: filepath.Join(filepath.Dir(d.file), clean)}
	if f := scanRows(data); f != nil {
		line, column := place(data, f.offset)
		d.add(Issue{set.file, line, column, f.message})
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !read(d, set, data) {
		return nil
	}
	if len(set.rows) == 0 {
		d.at(n, "rows: %q has no rows", clip(name))
		return nil
	}
	return set
}

// readRegular reads a file but no pipe or device, which could block for ever.
func readRegular(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxBytes:
		return nil, fmt.Errorf("it is larger than %d MiB", maxBytes>>20)
	}
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes))
}

// plain is an error without the path, which the message has already.
func plain(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func scanRows(data []byte) *fault {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return &fault{i, "a NUL byte: rows are plain text"}
	}
	return scanUTF8(data)
}

// readCSV reads a header and rows of as many fields.
func (d *decoder) readCSV(set *rowSet, data []byte) bool {
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord = true
	first, err := r.Read()
	if err != nil {
		return errors.Is(err, io.EOF) || d.csvFault(set, r, nil, nil, err)
	}
	header := append([]string(nil), first...)
	set.columns = make(map[string]string, len(header))
	for i, name := range header {
		_, twice := set.columns[name]
		err := checkFieldName(name)
		if twice {
			err = fmt.Errorf("two columns are named %q", clip(name))
		}
		if err != nil {
			line, column := r.FieldPos(i)
			d.add(Issue{set.file, line, column, err.Error()})
			return false
		}
		set.columns[name] = ""
	}
	whole := true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return whole
		}
		if err != nil {
			whole = false
			if !d.csvFault(set, r, header, record, err) {
				return false
			}
			continue
		}
		set.add(r, header, record)
	}
}

func (s *rowSet) add(r *csv.Reader, header, record []string) {
	fields := make(map[string]string, len(header))
	for i, name := range header {
		fields[name] = record[i]
	}
	line, column := r.FieldPos(0)
	s.rows = append(s.rows, row{fields, line, column})
}

// csvFault reports a fault of a row and tells whether the rows after it can
// still be told apart.
func (d *decoder) csvFault(set *rowSet, r *csv.Reader, header, record []string, err error) bool {
	var at *csv.ParseError
	if !errors.As(err, &at) {
		d.add(Issue{set.file, 1, 1, err.Error()})
		return false
	}
	if errors.Is(err, csv.ErrFieldCount) {
		line, column := r.FieldPos(0)
		d.add(Issue{set.file, line, column, fmt.Sprintf(
			"the row has %d fields, the header %d", len(record), len(header))})
		return true
	}
	d.add(Issue{set.file, at.Line, at.Column, at.Err.Error()})
	return false
}

// readJSONL reads an object of plain values from each line that is not blank.
func (d *decoder) readJSONL(set *rowSet, data []byte) bool {
	whole := true
	for number := 1; len(data) > 0; number++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		indent := len(line) - len(bytes.TrimLeft(line, " \t"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		fields, f := readObject(line)
		if f != nil {
			_, column := place(line, min(f.offset, len(line)))
			d.add(Issue{set.file, number, indent + column, f.message})
			whole = false
			continue
		}
		set.rows = append(set.rows, row{fields, number, indent + 1})
	}
	return whole
}

// readObject reads one flat JSON object. Numbers keep their own digits.
func readObject(line []byte) (map[string]string, *fault) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	at := func(format string, args ...any) *fault {
		return &fault{int(dec.InputOffset()), fmt.Sprintf(format, args...)}
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, &fault{0, "a line must be a JSON object"}
	}
	fields := make(map[string]string)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, at("%v", err)
		}
		name, _ := token.(string)
		if err := checkFieldName(name); err != nil {
			return nil, at("%v", err)
		}
		if _, twice := fields[name]; twice {
			return nil, at("field %q comes twice", clip(name))
		}
		value, err := dec.Token()
		if err != nil {
			return nil, at("%v", err)
		}
		text, ok := plainValue(value)
		if !ok {
			return nil, at("field %q must be a plain value, not an object or a list", clip(name))
		}
		fields[name] = text
	}
	if _, err := dec.Token(); err != nil {
		return nil, at("%v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, at("more than one value on a line")
	}
	return fields, nil
}

// plainValue is the text of a JSON token; null is the empty text.
func plainValue(token json.Token) (string, bool) {
	switch v := token.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	case nil:
		return "", true
	}
	return "", false
}
