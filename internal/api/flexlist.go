package api

import (
	"errors"
	"strings"
)

// items is a list however it is wrapped: an array, an object with numeric keys
// (PHP's array with gaps), or the JSON text of one of them in a string.
func items(v any) ([]any, bool) {
	switch t := v.(type) {
	case []any:
		return t, true
	case *object:
		return t.numbered()
	case string:
		if inner, err := parse([]byte(t)); err == nil {
			if _, again := inner.(string); !again {
				return items(inner)
			}
		}
	}
	return nil, false
}

// numbered has the members of an object whose names are all numbers. An object
// without members is none: it does not say that it is a list.
func (o *object) numbered() ([]any, bool) {
	if len(o.members) == 0 {
		return nil, false
	}
	list := make([]any, len(o.members))
	for i, m := range o.members {
		if m.name == "" || strings.Trim(m.name, "0123456789") != "" {
			return nil, false
		}
		list[i] = m.value
	}
	return list, true
}

// texts is a list of strings: steps, file names, addresses. A string that holds
// no list is the one item of it. Written as an array.
type texts []string

func (t *texts) read(v any) error {
	*t = nil
	if blank(v) {
		return nil
	}
	list, ok := items(v)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		var s text
		if err := s.read(item); err != nil {
			return err
		}
		*t = append(*t, string(s))
	}
	return nil
}

func (t *texts) appendJSON(b []byte) []byte {
	b = append(b, '[')
	for i, s := range *t {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// audience is who may apply: "INT", "0" or country ids joined by commas,
// whether it came as a string, a number or an array. Written as a string, as
// in the samples.
type audience string

func (a *audience) read(v any) error {
	*a = ""
	list, ok := items(v)
	if !ok {
		return (*text)(a).read(v)
	}
	parts := make([]string, len(list))
	for i, item := range list {
		s, err := digits(item)
		if err != nil || strings.ContainsAny(s, `[]{}",`) {
			return errors.New("it is not a list of countries")
		}
		parts[i] = s
	}
	*a = audience(strings.Join(parts, ","))
	return nil
}

func (a *audience) appendJSON(b []byte) []byte { return appendString(b, string(*a)) }

// proofs is what a worker must hand in.
type proofs []Proof

func (p *proofs) read(v any) error {
	*p = nil
	if blank(v) {
		return nil
	}
	list, ok := items(v)
	if !ok {
		return errors.New("it is not a list")
	}
	for _, item := range list {
		*p = append(*p, readProof(item))
	}
	return nil
}

func readProof(v any) Proof {
	var proof Proof
	o, ok := v.(*object)
	if !ok {
		_ = (*text)(&proof.Desc).read(v)
		return proof
	}
	desc, _ := o.get("desc")
	kind, _ := o.get("type")
	_ = (*text)(&proof.Desc).read(desc)
	_ = (*text)(&proof.Type).read(kind)
	return proof
}

func (p *proofs) appendJSON(b []byte) []byte {
	b = append(b, '[')
	for i, proof := range *p {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"desc":`...), proof.Desc)
		b = append(appendString(append(b, `,"type":`...), proof.Type), '}')
	}
	return append(b, ']')
}
