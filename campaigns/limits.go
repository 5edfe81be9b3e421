package campaigns

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// What a spec may hold. Past these a file is a mistake or an attack.
const (
	maxBytes     = 64 << 20  // of a spec or a rows file
	maxDepth     = 100       // levels of lists and mappings
	maxScalar    = 64 << 10  // bytes of one text
	maxExpansion = 1_000_000 // values that aliases stand for, in all
	maxItems     = 1_000_000 // items of one file, in all
	maxMatrix    = 100_000   // items of one matrix, which a few bytes can ask for
)

// fault is what is wrong with a file's bytes, and where.
type fault struct {
	offset  int
	message string
}

// scanBytes finds, before any parser is run, what would make parsing slow or
// wrong: a size past the limit, bytes that are no text, and a stretch so long
// without any sign of structure that it can only be one overlong value.
func scanBytes(data []byte) *fault {
	if len(data) > maxBytes {
		return &fault{0, fmt.Sprintf(
			"the file is larger than %d MiB: move items to CSV or JSONL files", maxBytes>>20)}
	}
	stretch := 0
	for i, c := range data {
		switch {
		case c == ':' || c == ',' || c == '-' || c == '#' || c == '{' || c == '[':
			stretch = i
		case c < ' ' && c != '\n' && c != '\t' && c != '\r', c == 0x7f:
			return &fault{i, fmt.Sprintf("control character %#02x: a spec is plain text", c)}
		case i-stretch > maxScalar:
			return &fault{stretch, fmt.Sprintf("a value is longer than %d KiB", maxScalar>>10)}
		}
	}
	return scanUTF8(data)
}

func scanUTF8(data []byte) *fault {
	if utf8.Valid(data) {
		return nil
	}
	offset := 0
	for {
		r, size := utf8.DecodeRune(data[offset:])
		if r == utf8.RuneError && size <= 1 {
			return &fault{offset, "not UTF-8 text: save the file as UTF-8"}
		}
		offset += size
	}
}

// place is the line and column of an offset, both from 1; columns count
// characters.
func place(data []byte, offset int) (line, column int) {
	before := data[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// weigher walks a parsed document once and finds what makes it too big to be
// decoded: depth, overlong texts, and aliases that multiply or never end.
type weigher struct {
	report   *report
	anchored map[*yaml.Node]weight
	expanded int
	// stopped is set by a fault after which decoding makes no sense.
	stopped bool
}

// weight is how many values a node stands for, aliases followed, and how many
// levels it has.
type weight struct{ nodes, height int }

func (w *weigher) fail(n *yaml.Node, format string, args ...any) {
	w.report.at(n, format, args...)
	w.stopped = true
}

func (w *weigher) weigh(n *yaml.Node, depth int) weight {
	if n.Kind == yaml.AliasNode {
		return w.alias(n, depth)
	}
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" {
		w.report.at(n, "tag %s is not supported: write the plain value", clip(n.Tag))
	}
	if len(n.Value) > maxScalar {
		w.fail(n, "a value is longer than %d KiB", maxScalar>>10)
	}
	if depth > maxDepth {
		w.fail(n, "nested more than %d levels deep", maxDepth)
		return weight{1, 1}
	}
	sum := weight{nodes: 1}
	for _, child := range n.Content {
		c := w.weigh(child, depth+1)
		sum.nodes += c.nodes
		sum.height = max(sum.height, c.height+1)
		if w.stopped {
			break
		}
	}
	return sum
}

// alias weighs what an alias stands for. The target is weighed once.
func (w *weigher) alias(n *yaml.Node, depth int) weight {
	target, known := w.anchored[n.Alias]
	if !known {
		if w.anchored == nil {
			w.anchored = make(map[*yaml.Node]weight)
		}
		w.anchored[n.Alias] = weight{height: -1}
		target = w.weigh(n.Alias, depth)
		w.anchored[n.Alias] = target
	}
	if target.height < 0 {
		w.fail(n, "*%s stands for something that contains itself", clip(n.Value))
		return weight{1, 1}
	}
	w.expanded += target.nodes
	if w.expanded > maxExpansion {
		w.fail(n, "aliases stand for more than %d values", maxExpansion)
	}
	if depth+target.height > maxDepth {
		w.fail(n, "nested more than %d levels deep", maxDepth)
	}
	return target
}
