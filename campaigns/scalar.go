package campaigns

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// kindOf names a node's kind for messages.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(clip(n.Value))
	}
}

// scalar returns the text of a scalar as it is written, whatever YAML would
// take it for: 0.05 stays 0.05, no stays no.
func (d *decoder) scalar(n *yaml.Node) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.at(n, "%s must be a single value, not %s", d.key, kindOf(n))
		return "", false
	case n.Tag == "!!null":
		d.at(n, "%s has an empty value", d.key)
		return "", false
	}
	return n.Value, true
}

// checkText refuses blank texts and those with control characters.
func checkText(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty")
	}
	return checkCharacters(s)
}

// checkCharacters refuses control characters but newlines and tabs.
func checkCharacters(s string) error {
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			continue
		}
		if c < ' ' || c == 0x7f || c == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0 {
			return fmt.Errorf("holds a control character at byte %d", i+1)
		}
	}
	return nil
}

// scalars is a list of scalars as they are written, and their nodes. An
// element that is wrong keeps its place.
func (d *decoder) scalars(n *yaml.Node) ([]string, []*yaml.Node) {
	elements := d.list(n)
	out := make([]string, len(elements))
	for i, e := range elements {
		out[i], _ = d.scalar(follow(e))
	}
	return out, elements
}

// list returns the elements of a list that must not be empty.
func (d *decoder) list(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		d.at(n, "%s must be a list, not %s", d.key, kindOf(n))
		return nil
	}
	if len(n.Content) == 0 {
		d.at(n, "%s is an empty list", d.key)
	}
	return n.Content
}

// integer reads a whole number between two limits by its own digits, so that
// 010 is not taken for 8.
func (d *decoder) integer(n *yaml.Node, least, most int64) int64 {
	s, ok := d.scalar(n)
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	switch {
	case leadingZero(s):
		d.at(n, "%s: %q begins with a zero, which some read as octal: take it out", d.key, clip(s))
	case err != nil && !errors.Is(err, strconv.ErrRange) || s[0] == '+':
		d.at(n, "%s: %q is not a whole number such as 20", d.key, clip(s))
	case err != nil || v < least || v > most:
		d.at(n, "%s: %s is not between %d and %d", d.key, clip(s), least, most)
	default:
		return v
	}
	return 0
}

func leadingZero(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return len(s) > 1 && s[0] == '0' && s[1] != '.' && s[1] != '%'
}

// amount reads exact dollars of at least least.
func (d *decoder) amount(n *yaml.Node, least money.USD) money.USD {
	s, ok := d.scalar(n)
	if !ok {
		return 0
	}
	v, err := money.Parse(s)
	switch {
	case leadingZero(s):
		d.at(n, "%s: %q begins with a zero, which some read as octal: take it out", d.key, clip(s))
	case err != nil:
		d.at(n, "%s: %v", d.key, err)
	case v < least && least == smallest:
		d.at(n, "%s: %s is not more than 0", d.key, v)
	case v < least:
		d.at(n, "%s: %s is less than %s", d.key, v, least)
	default:
		return v
	}
	return 0
}

// smallest is the least amount that is more than nothing.
const smallest money.USD = 1

// boolean takes true and false alone: yes, on and 1 are read differently by
// different readers of YAML.
func (d *decoder) boolean(n *yaml.Node) bool {
	s, ok := d.scalar(n)
	if ok && s != "true" && s != "false" {
		d.at(n, "%s: %q is neither true nor false", d.key, clip(s))
	}
	return s == "true"
}

// enum reads one of the words that a key may have.
func enum[T ~string](d *decoder, n *yaml.Node, words ...T) T {
	s, ok := d.scalar(n)
	if !ok || slices.Contains(words, T(s)) {
		return T(s)
	}
	known := make([]string, len(words))
	for i, w := range words {
		known[i] = string(w)
	}
	d.at(n, "%s: unknown value %q%s", d.key, clip(s), didYouMean(s, known))
	return ""
}

// duration reads a length of time in whole seconds between two limits.
func (d *decoder) duration(n *yaml.Node, least, most time.Duration) Duration {
	s, ok := d.scalar(n)
	if !ok {
		return 0
	}
	v, err := ParseDuration(s)
	t := time.Duration(v)
	switch {
	case err != nil:
		d.at(n, "%s: %v", d.key, err)
	case t < least || t > most:
		d.at(n, "%s: %s is not between %s and %s", d.key, clip(s), Duration(least), Duration(most))
	case t%time.Second != 0:
		d.at(n, "%s: %s is not a whole number of seconds", d.key, clip(s))
	default:
		return v
	}
	return 0
}

// name reads an identifier of at most 63 of the letters a-z, digits, - and
// those in more.
func (d *decoder) name(n *yaml.Node, more string) string {
	s, ok := d.scalar(n)
	if !ok {
		return ""
	}
	valid := len(s) >= 1 && len(s) <= 63
	for i := 0; valid && i < len(s); i++ {
		c := s[i]
		valid = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || strings.IndexByte(more, c) >= 0
	}
	if !valid {
		d.at(n, "%s: %q is not 1 to 63 of a-z, 0-9 and -%s", d.key, clip(s), more)
	}
	return s
}
