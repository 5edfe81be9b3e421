package campaigns

import (
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// itemsSpec is the long form of items: one of list, matrix and rows, and what
// goes with it.
type itemsSpec struct {
	list, matrix, rows, exclude *yaml.Node
	key                         string
}

var itemsFields = []field[itemsSpec]{
	{"list", func(_ *decoder, s *itemsSpec, n *yaml.Node) { s.list = n }},
	{"matrix", func(_ *decoder, s *itemsSpec, n *yaml.Node) { s.matrix = n }},
	{"rows", func(_ *decoder, s *itemsSpec, n *yaml.Node) { s.rows = n }},
	{"key", func(d *decoder, s *itemsSpec, n *yaml.Node) { s.key = d.label(n) }},
	{"exclude", func(_ *decoder, s *itemsSpec, n *yaml.Node) { s.exclude = n }},
}

// readItems reads items in any of their forms. The short one is a plain list.
func (d *decoder) readItems(n *yaml.Node) []Item {
	d.key = "items"
	if n.Kind == yaml.SequenceNode {
		return d.listItems(n, "")
	}
	m, ok := d.mapping(n, "items")
	if !ok {
		return nil
	}
	var s itemsSpec
	fill(d, m, "items", itemsFields, &s)
	sources := 0
	for _, key := range []string{"list", "matrix", "rows"} {
		if m.has(key) {
			sources++
		}
	}
	if sources != 1 {
		d.at(n, "items have one of list, matrix and rows")
		return nil
	}
	if s.matrix == nil {
		if m.has("exclude") {
			d.at(m.key("exclude"), "exclude goes with matrix only")
		}
	} else if m.has("key") {
		d.at(m.key("key"), "key has no use in a matrix, whose items are known by their values")
	}
	switch {
	case s.list != nil:
		d.key = "list"
		return d.listItems(s.list, s.key)
	case s.matrix != nil:
		return d.matrixItems(s.matrix, s.exclude)
	case s.rows != nil:
		d.key = "rows"
		return d.rowItems(s.rows, s.key, m.get("key"))
	}
	return nil
}

// listItems reads mappings of fields, or scalars, which become the field item.
func (d *decoder) listItems(n *yaml.Node, key string) []Item {
	list := d.list(n)
	g := d.gather(key, len(list))
	for _, element := range list {
		e := follow(element)
		at := Issue{File: d.file, Line: e.Line, Column: e.Column}
		if e.Kind == yaml.ScalarNode {
			d.key = "an item"
			s, ok := d.scalar(e)
			if ok && key != "" && key != scalarField {
				d.at(e, "the item is a plain value and has no field %q", clip(key))
			} else if ok {
				g.add(map[string]string{scalarField: s}, s, at)
			}
			continue
		}
		if fields, ok := d.itemFields(e); ok {
			g.add(fields, "", at)
		}
	}
	return g.items
}

// scalarField is the field that an item has which is a plain value.
const scalarField = "item"

func (d *decoder) itemFields(n *yaml.Node) (map[string]string, bool) {
	m, ok := d.mapping(n, "an item")
	if !ok {
		return nil, false
	}
	if len(m) == 0 {
		d.at(n, "an item without fields")
		return nil, false
	}
	fields := make(map[string]string, len(m)/2)
	for i := 0; i+1 < len(m); i += 2 {
		d.key = m[i].Value
		s, good := d.scalar(follow(m[i+1]))
		if err := checkFieldName(m[i].Value); err != nil {
			d.at(m[i], "%v", err)
			good = false
		}
		ok = ok && good
		fields[m[i].Value] = s
	}
	return fields, ok
}

// axis is one dimension of a matrix.
type axis struct {
	name   string
	values []string
}

// matrixItems is the product of the axes, the last one turning fastest.
func (d *decoder) matrixItems(n, exclude *yaml.Node) []Item {
	m, ok := d.mapping(n, "matrix")
	if !ok {
		return nil
	}
	axes, count := d.axes(n, m)
	if count == 0 {
		return nil
	}
	excluded := d.excludes(exclude, axes)
	if d.items+count > maxItems {
		d.at(n, "the file has more than %d items", maxItems)
		return nil
	}
	g := d.gather("", count)
	values := make([]string, len(axes))
	for i := range count {
		fields := make(map[string]string, len(axes))
		rest := i
		for a := len(axes) - 1; a >= 0; a-- {
			values[a] = axes[a].values[rest%len(axes[a].values)]
			rest /= len(axes[a].values)
			fields[axes[a].name] = values[a]
		}
		if !matchesAny(fields, excluded) {
			g.add(fields, strings.Join(values, "-"), Issue{File: d.file, Line: n.Line, Column: n.Column})
		}
	}
	if len(g.items) == 0 {
		d.at(n, "exclude leaves no items")
	}
	return g.items
}

// axes reads the lists of a matrix and how many items they make; 0 after a
// fault.
func (d *decoder) axes(n *yaml.Node, m mapping) (axes []axis, count int) {
	count = 1
	if len(m) == 0 {
		d.at(n, "an empty matrix")
		return nil, 0
	}
	for i := 0; i+1 < len(m); i += 2 {
		d.key = m[i].Value
		if err := checkFieldName(d.key); err != nil {
			d.at(m[i], "%v", err)
		}
		values, _ := d.scalars(follow(m[i+1]))
		axes = append(axes, axis{m[i].Value, values})
		if count *= len(values); count > maxMatrix {
			d.at(n, "a matrix of more than %d items", maxMatrix)
			return nil, 0
		}
	}
	return axes, count
}

// excludes reads the combinations that a matrix leaves out: each names some of
// its fields and their values.
func (d *decoder) excludes(n *yaml.Node, axes []axis) []map[string]string {
	if n == nil {
		return nil
	}
	d.key = "exclude"
	var out []map[string]string
	for _, element := range d.list(n) {
		e := follow(element)
		fields, ok := d.itemFields(e)
		if !ok {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !hasAxis(axes, name) {
				d.at(e, "exclude names %q, which the matrix has not", clip(name))
			}
		}
		out = append(out, fields)
	}
	return out
}

func hasAxis(axes []axis, name string) bool {
	for _, a := range axes {
		if a.name == name {
			return true
		}
	}
	return false
}

func matchesAny(fields map[string]string, patterns []map[string]string) bool {
	for _, p := range patterns {
		if matches(fields, p) {
			return true
		}
	}
	return false
}

func matches(fields, pattern map[string]string) bool {
	for name, value := range pattern {
		if fields[name] != value {
			return false
		}
	}
	return true
}

// rowItems reads items from a file beside the spec. A file that several
// campaigns name is read once.
func (d *decoder) rowItems(n *yaml.Node, key string, keyNode *yaml.Node) []Item {
	name, ok := d.scalar(n)
	if !ok {
		return nil
	}
	clean := path.Clean(filepath.ToSlash(name))
	set, known := d.rows[clean]
	if !known {
		set = d.readRows(n, name, clean)
		if d.rows == nil {
			d.rows = make(map[string]*rowSet)
		}
		d.rows[clean] = set
	}
	if set == nil {
		return nil
	}
	if key != "" && set.columns != nil {
		if _, ok := set.columns[key]; !ok {
			d.at(keyNode, "key: %s", noField(key, set.columns))
			return nil
		}
	}
	if d.items+len(set.rows) > maxItems {
		d.at(n, "the file has more than %d items", maxItems)
		return nil
	}
	g := d.gather(key, len(set.rows))
	for _, row := range set.rows {
		g.add(row.fields, "", Issue{File: set.file, Line: row.line, Column: row.column})
	}
	return g.items
}
