package campaigns

import (
	"io/fs"

	"gopkg.in/yaml.v3"
)

// decoder turns the nodes of one spec into a File. It is written by hand, not
// by reflection, because each fault must come with its place, amounts must be
// read by their own digits, and a hundred thousand campaigns must load quickly.
type decoder struct {
	report
	warnings report
	// dir is where rows files lie; nil means there are none.
	dir fs.FS

	// key is the key whose value is being read, for messages.
	key string

	out      File
	defaults jobSpec
	teams    []string
	names    map[string]int
	adopted  map[int64]int
	rows     map[string]*rowSet
	items    int
	links    []link
}

// field is one key of a kind of mapping, and what takes its value.
type field[T any] struct {
	name string
	set  func(d *decoder, into *T, value *yaml.Node)
}

// mapping is the content of a mapping node: keys and values in turn, with
// merges resolved.
type mapping []*yaml.Node

// get returns the value of a key, or nil where it has none.
func (m mapping) get(key string) *yaml.Node {
	for i := 0; i+1 < len(m); i += 2 {
		if m[i].Value != key {
			continue
		}
		if v := follow(m[i+1]); v.Tag != "!!null" {
			return v
		}
	}
	return nil
}

// key returns the node of a key itself, or nil.
func (m mapping) key(key string) *yaml.Node {
	for i := 0; i+1 < len(m); i += 2 {
		if m[i].Value == key {
			return m[i]
		}
	}
	return nil
}

func (m mapping) has(key string) bool { return m.key(key) != nil }

// follow returns what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// mapping checks that a node is a mapping with plain keys, each of them once,
// and resolves its merges.
func (d *decoder) mapping(n *yaml.Node, what string) (mapping, bool) {
	if n.Kind != yaml.MappingNode {
		d.at(n, "%s must be a mapping of keys and values, not %s", what, kindOf(n))
		return nil, false
	}
	merges := 0
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			d.at(k, "a key must be a plain word, not %s", kindOf(k))
			return nil, false
		case k.Tag == "!!merge":
			merges++
		}
	}
	d.duplicates(n.Content)
	if merges == 0 {
		return n.Content, true
	}
	return d.merge(n), true
}

// duplicates reports keys that come twice. Few keys are compared one by one,
// many through a map.
func (d *decoder) duplicates(content []*yaml.Node) {
	const few = 48
	if len(content) > few {
		d.duplicatesOfMany(content)
		return
	}
	for i := 2; i < len(content); i += 2 {
		for j := 0; j < i; j += 2 {
			if content[i].Value == content[j].Value {
				d.duplicate(content[i], content[j])
				break
			}
		}
	}
}

func (d *decoder) duplicatesOfMany(content []*yaml.Node) {
	seen := make(map[string]*yaml.Node, len(content)/2)
	for i := 0; i < len(content); i += 2 {
		if first, ok := seen[content[i].Value]; ok {
			d.duplicate(content[i], first)
			continue
		}
		seen[content[i].Value] = content[i]
	}
}

func (d *decoder) duplicate(key, first *yaml.Node) {
	d.at(key, "duplicate key %q, first on line %d", clip(key.Value), first.Line)
}

// merge puts the keys of `<<` behind the mapping's own: what is written out
// wins, then what comes first in the list.
func (d *decoder) merge(n *yaml.Node) mapping {
	var own, merged mapping
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			own = append(own, n.Content[i], n.Content[i+1])
			continue
		}
		sources := []*yaml.Node{follow(n.Content[i+1])}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			if m, ok := d.mapping(follow(source), "<<"); ok {
				merged = append(merged, m...)
			}
		}
	}
	seen := make(map[string]bool, len(own)/2)
	for i := 0; i < len(own); i += 2 {
		seen[own[i].Value] = true
	}
	for i := 0; i < len(merged); i += 2 {
		if key := merged[i].Value; !seen[key] {
			seen[key] = true
			own = append(own, merged[i], merged[i+1])
		}
	}
	return own
}

// fill gives each value of a mapping to the field of its key. A misspelt key is
// read on as the one that was meant, so that its value is checked as well and
// the right key is not called missing.
func fill[T any](d *decoder, m mapping, what string, fields []field[T], into *T) {
	for i := 0; i+1 < len(m); i += 2 {
		f := find(fields, m[i].Value)
		if f == nil {
			meant := d.unknown(m[i], what, keys(fields))
			if f = find(fields, meant); f == nil || m.has(meant) {
				continue
			}
			m[i].Value = meant
		}
		value := follow(m[i+1])
		if value.Tag == "!!null" {
			d.at(m[i], "%s has no value: give it one or take the key out", f.name)
			continue
		}
		d.key = f.name
		f.set(d, into, value)
	}
}

func find[T any](fields []field[T], key string) *field[T] {
	for i := range fields {
		if fields[i].name == key {
			return &fields[i]
		}
	}
	return nil
}

func keys[T any](fields []field[T]) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// unknown reports a key and returns the one that was meant, if that is clear.
func (d *decoder) unknown(key *yaml.Node, what string, known []string) (meant string) {
	if what == "set" && find(jobFields, key.Value) != nil {
		d.at(key, "the marketplace cannot change the %s of a job: pause it and create another", key.Value)
		return ""
	}
	d.at(key, "unknown key %q in %s%s", clip(key.Value), what, didYouMean(key.Value, known))
	return nearest(key.Value, known)
}

// require reports keys that a mapping lacks.
func (d *decoder) require(n *yaml.Node, m mapping, what string, names ...string) {
	for _, name := range names {
		if !m.has(name) {
			d.at(n, "%s has no %s", what, name)
		}
	}
}

// warn adds a fault that does not stop the file.
func (d *decoder) warn(n *yaml.Node, format string, args ...any) {
	d.warnings.at(n, format, args...)
}

// zone reads the `timezone` of a mapping ahead of its other keys, because
// times among them are read in it.
func (d *decoder) zone(m mapping, inherited string) string {
	n := m.get("timezone")
	if n == nil || n.Kind != yaml.ScalarNode {
		return inherited
	}
	if _, err := location(n.Value); err != nil {
		d.at(n, "timezone: %v", err)
		return inherited
	}
	return n.Value
}

// skip is for keys that are read ahead or later.
func skip[T any](d *decoder, _ *T, n *yaml.Node) {
	if d.key == "timezone" && n.Kind != yaml.ScalarNode {
		d.at(n, "timezone must be a name such as Europe/Istanbul, not %s", kindOf(n))
	}
}
