package campaigns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Load reads and checks a spec file and the rows files it names, which must
// lie in its directory or below. All that is wrong with the spec comes back
// at once as Errors; a file that cannot be read at all is another error.
func Load(path string) (*File, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the spec: %w", err)
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open the spec's directory: %w", err)
	}
	defer root.Close()
	return Parse(path, data, root.FS())
}

// readFile reads a file up to a byte more than a spec may have.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var buf bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		buf.Grow(int(min(info.Size(), maxBytes)) + bytes.MinRead)
	}
	_, err = buf.ReadFrom(io.LimitReader(f, maxBytes+1))
	return buf.Bytes(), err
}

// Parse checks the text of a spec. The name is the path that issues show and
// whose base name is the default of File.Source. Rows files are opened in
// dir, which should refuse paths that leave it, as os.Root does; nil means
// that there are none. The error is Errors.
func Parse(name string, data []byte, dir fs.FS) (*File, error) {
	d := &decoder{
		report:   report{file: name},
		warnings: report{file: name},
		dir:      dir,
	}
	if root := d.document(data); root != nil {
		d.spec(root)
	}
	if len(d.issues) > 0 {
		return nil, Errors(d.sorted())
	}
	out := d.out // not &d.out, which would keep the nodes in memory
	out.Warnings = d.warnings.sorted()
	return &out, nil
}

// document parses the text into the root of its only document, or reports why
// that cannot be.
func (d *decoder) document(data []byte) *yaml.Node {
	if f := scanBytes(data); f != nil {
		line, column := place(data, f.offset)
		d.add(Issue{d.file, line, column, f.message})
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		d.add(Issue{d.file, 1, 1, "the file is empty"})
		return nil
	} else if err != nil {
		d.syntax(data, err)
		return nil
	}
	if err := dec.Decode(&more); err == nil {
		d.at(&more, "a second document begins here: a file holds one")
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.syntax(data, err)
		return nil
	}
	root := doc.Content[0]
	w := weigher{report: &d.report}
	if w.weigh(root, 1); w.stopped {
		return nil
	}
	return root
}

// syntax reports what the YAML parser says. It tells a line at most, so the
// column is that of the line's first character.
func (d *decoder) syntax(data []byte, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, rest, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, message = n, rest
		}
	}
	lines := bytes.SplitN(data, []byte{'\n'}, line+1)
	line = max(min(line, len(lines)), 1)
	text := lines[line-1]
	indent := len(text) - len(bytes.TrimLeft(text, " \t"))
	if bytes.IndexByte(text[:indent], '\t') >= 0 {
		message += "; indent with spaces, not with tabs"
	}
	column := indent + 1
	if l, c, ok := anchorPlace(data, message); ok {
		line, column = l, c
	}
	d.add(Issue{d.file, line, column, "not valid YAML: " + message})
}

// anchorPlace finds the alias of a complaint that tells no line at all.
func anchorPlace(data []byte, message string) (line, column int, ok bool) {
	name, ok := strings.CutPrefix(message, "unknown anchor '")
	if !ok {
		return 0, 0, false
	}
	name, _, _ = strings.Cut(name, "'")
	at := bytes.Index(data, []byte("*"+name))
	if at < 0 {
		return 0, 0, false
	}
	line, column = place(data, at)
	return line, column, true
}
