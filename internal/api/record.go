package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// field ties one of the API's names to its place in a response type. One table
// of them reads and writes a type.
type field struct {
	name string
	slot slot
	need need
}

// need is what a field that is missing or unreadable means.
type need bool

const (
	// optional: the field stays zero, and is printed as it was answered.
	optional need = false
	// required: the answer as a whole cannot be trusted.
	required need = true
)

// record is a response type.
type record interface {
	fields() []field
	// keep takes the answer in the API's own names with true types.
	keep(raw json.RawMessage)
}

// readRecord fills r from an object. Of each of its members the true type is
// kept, or what was answered where the reference does not tell the type.
func readRecord(v any, r record) error {
	o, ok := v.(*object)
	if !ok {
		return errors.New("it is not an object")
	}
	fields := r.fields()
	for _, f := range fields {
		if v, has := o.get(f.name); f.need == required && (!has || blank(v)) {
			return fmt.Errorf("it has no %s", f.name)
		}
	}
	raw := append(make([]byte, 0, 512), '{')
	for i, m := range o.members {
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(appendString(raw, m.name), ':')
		var err error
		if raw, err = readMember(raw, fields, m); err != nil {
			return fmt.Errorf("its %s: %w", m.name, err)
		}
	}
	r.keep(append(raw, '}'))
	return nil
}

// readMember fills one field and appends its true form to raw.
func readMember(raw []byte, fields []field, m member) ([]byte, error) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.name })
	if i < 0 {
		return appendValue(raw, m.value), nil
	}
	f := fields[i]
	if err := f.slot.read(m.value); err != nil {
		if f.need == required {
			return nil, err
		}
		return appendValue(raw, m.value), nil
	}
	if m.value == nil || m.value == "" && !isText(f.slot) {
		return append(raw, "null"...), nil
	}
	return f.slot.appendJSON(raw), nil
}

// isText tells the slots of which "" is a value and not the lack of one.
func isText(s slot) bool {
	switch s.(type) {
	case *text, *audience:
		return true
	}
	return false
}

// writeRecord is the JSON of a response: what was answered, or for a value made
// by hand every field.
func writeRecord(raw json.RawMessage, fields []field) ([]byte, error) {
	if raw != nil {
		return raw, nil
	}
	b := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, f.name), ':')
		b = f.slot.appendJSON(b)
	}
	return append(b, '}'), nil
}

// unmarshalRecord is for UnmarshalJSON.
func unmarshalRecord(b []byte, r record) error {
	v, err := parse(b)
	if err != nil {
		return err
	}
	return readRecord(v, r)
}

// recordOf is a pointer to a response type.
type recordOf[T any] interface {
	*T
	record
}

// readRows reads a list of records.
func readRows[T any, P recordOf[T]](v any, wrapper string) ([]T, error) {
	list, err := rows(v, wrapper)
	if err != nil {
		return nil, err
	}
	all := make([]T, len(list))
	for i, item := range list {
		if err := readRecord(item, P(&all[i])); err != nil {
			return nil, fmt.Errorf("row %d of %d: %w", i+1, len(list), err)
		}
	}
	return all, nil
}

// readOne reads a single record, bare or wrapped. wanted is the id that it must
// have, or 0 for any.
func readOne[T any, P recordOf[T]](v any, wrapper string, id func(*T) int64, wanted int64) (T, error) {
	var one, none T
	if err := readRecord(unwrap(v, wrapper), P(&one)); err != nil {
		return none, err
	}
	if got := id(&one); got <= 0 || wanted != 0 && got != wanted {
		return none, fmt.Errorf("its id is %d", got)
	}
	return one, nil
}

// unwrap takes an object out of {"data": {…}}, out of its own name, and out of
// an array of one.
func unwrap(v any, wrapper string) any {
	o, ok := only(v)
	if !ok {
		return v
	}
	if _, bare := o.get("id"); bare {
		return o
	}
	for _, name := range []string{"data", wrapper} {
		if inner, has := o.get(name); has {
			if o, ok := only(inner); ok {
				return o
			}
		}
	}
	return o
}

var errNoList = errors.New("it is not a list")

// rows is the list of an answer, bare or in {"data": […]} or under its own
// name. Where there is none it is an error and never an empty list: an empty
// list is evidence.
func rows(v any, wrapper string) ([]any, error) {
	for range 3 {
		switch t := v.(type) {
		case []any:
			return t, nil
		case *object:
			if list, ok := t.numbered(); ok {
				return list, nil
			}
			inner, wrapped := t.get("data")
			if !wrapped {
				inner, _ = t.get(wrapper)
			}
			v = inner
		default:
			return nil, errNoList
		}
	}
	return nil, errNoList
}
