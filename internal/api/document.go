package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxDepth is how deep an answer may nest.
const maxDepth = 64

// object is a JSON object with the order of its members kept, as the
// marketplace's lists with numeric keys need.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

// get finds a member by its exact name.
func (o *object) get(name string) (any, bool) {
	for _, m := range o.members {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// parse reads one JSON document into nil, bool, json.Number, string, []any and
// *object. Numbers keep their digits. Trailing commas, which the reference's
// own samples have, are dropped, but only from a text that is not JSON with
// them. Two names of one object that differ in nothing but case are an error:
// which of them counts would be a guess.
func parse(b []byte) (any, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // a byte order mark, as some editors leave in PHP files
	if !json.Valid(b) {
		b = dropTrailingCommas(b)
	}
	if !json.Valid(b) {
		return nil, errors.New("it is not a JSON document")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return value(d, 0)
}

func value(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	if delim == '[' {
		return array(d, depth)
	}
	return members(d, depth)
}

func array(d *json.Decoder, depth int) (any, error) {
	items := []any{}
	for d.More() {
		v, err := value(d, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := d.Token()
	return items, err
}

func members(d *json.Decoder, depth int) (any, error) {
	o := &object{}
	folded := make(map[string]struct{})
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		key := strings.ToLower(strings.ToUpper(name))
		if _, twice := folded[key]; twice {
			return nil, fmt.Errorf("it has the name %q twice", clean(name))
		}
		folded[key] = struct{}{}
		v, err := value(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, member{name, v})
	}
	_, err := d.Token()
	return o, err
}

// dropTrailingCommas copies b without the commas, outside strings, that only
// spaces part from a closing bracket.
func dropTrailingCommas(b []byte) []byte {
	out := make([]byte, 0, len(b))
	quoted := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case quoted && c == '\\' && i+1 < len(b):
			out = append(out, c)
			i++
			c = b[i]
		case c == '"':
			quoted = !quoted
		case !quoted && c == ',' && closes(b[i+1:]):
			continue
		}
		out = append(out, c)
	}
	return out
}

func closes(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && (rest[0] == '}' || rest[0] == ']')
}

// appendValue writes what parse read.
func appendValue(b []byte, v any) []byte {
	switch t := v.(type) {
	case *object:
		b = append(b, '{')
		for i, m := range t.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.name), ':')
			b = appendValue(b, m.value)
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, item := range t {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, item)
		}
		return append(b, ']')
	case string:
		return appendString(b, t)
	case json.Number:
		return append(b, t...)
	case bool:
		if t {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	default:
		return append(b, "null"...)
	}
}

// appendString writes s as a JSON string, which cannot fail.
func appendString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s)
	return append(b, quoted...)
}
