package main

import (
	"encoding/json"
	"strconv"

	"github.com/invopop/jsonschema" //nolint:depguard // a tool of the build, not a part of the package
)

// schema is short, because the pages that describe the language are full of it.
type schema = jsonschema.Schema

// entry is one key of a mapping.
type entry struct {
	key   string
	value *schema
}

// object is a mapping that holds these keys and no others.
func object(about string, required []string, entries ...entry) *schema {
	properties := jsonschema.NewProperties()
	for _, e := range entries {
		properties.Set(e.key, e.value)
	}
	return &schema{
		Type: "object", Description: about, Properties: properties, Required: required,
		AdditionalProperties: jsonschema.FalseSchema,
	}
}

// about gives a schema a description of its own.
func about(s *schema, text string) *schema {
	c := *s
	c.Description = text
	return &c
}

func ref(name string) *schema { return &schema{Ref: "#/$defs/" + name} }

func list(of *schema) *schema {
	return &schema{Type: "array", Items: of, MinItems: new(uint64(1))}
}

func pattern(p string) *schema { return &schema{Type: "string", Pattern: p} }

// count is a whole number from 1.
func count(most int) *schema {
	return &schema{Type: "integer", Minimum: "1", Maximum: json.Number(strconv.Itoa(most))}
}

func boolean(text string) *schema { return &schema{Type: "boolean", Description: text} }

func words(text, otherwise string, values ...any) *schema {
	s := &schema{Enum: values, Description: text}
	if otherwise != "" {
		s.Default = otherwise
	}
	return s
}

func either(choices ...*schema) *schema { return &schema{AnyOf: choices} }

// given holds where a mapping has a key.
func given(key string) *schema { return &schema{Required: []string{key}} }

// with holds where a key has a value.
func with(key string, value any) *schema {
	properties := jsonschema.NewProperties()
	properties.Set(key, &schema{Const: value})
	return &schema{Properties: properties, Required: []string{key}}
}

// without forbids keys.
func without(names ...string) *schema {
	properties := jsonschema.NewProperties()
	for _, name := range names {
		properties.Set(name, jsonschema.FalseSchema)
	}
	return &schema{Properties: properties}
}

// oneOf wants exactly one of these keys.
func oneOf(names ...string) []*schema {
	choices := make([]*schema, len(names))
	for i, name := range names {
		choices[i] = given(name)
	}
	return choices
}

// Texts. YAML reads some of them as numbers and booleans; the loader takes
// their text as it stands.
var (
	line  = plain(`^[^\n]*\S[^\n]*$`)
	body  = plain(`\S`)
	value = plain("")
)

func plain(p string) *schema {
	return &schema{Pattern: p, Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
}

const (
	decimals = `^[0-9]*\.?[0-9]+$`
	lengths  = `^(0|([0-9]+d)?([0-9]+(\.[0-9]+)?(h|m|s|ms))*)$`
	date     = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	moments  = date + `T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?`
)

var (
	money = either(
		&schema{Type: "number", ExclusiveMinimum: "0"},
		pattern(decimals),
	)
	balance  = either(&schema{Type: "number", Minimum: "0"}, pattern(decimals))
	share    = pattern(`^(100|[0-9]{1,2})(\.[0-9]{1,6})?%$`)
	duration = &schema{Type: "string", Pattern: lengths, MinLength: new(uint64(1))}
	zone     = &schema{
		Type: "string", Not: &schema{Const: "Local"},
		Description: "The IANA time zone, such as Europe/Istanbul, in which times here are read.",
	}
	name = pattern(`^[a-z0-9-]{1,63}$`)
	id   = pattern(`^[a-z0-9_-]{1,63}$`)
	ids  = count(1<<53 - 1)
)
