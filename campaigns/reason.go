package campaigns

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxReason is how many characters a worker is told at most, and maxQuoted how
// many of a proof a reason can hold.
const (
	maxReason = 1000
	maxQuoted = 200
)

// ReasonFacts is what a reason's template sees of an application, as text,
// beside the fields of its item: {{ .worker }}, {{ .item.city }} or {{ .city }}.
type ReasonFacts struct {
	Proof, Worker, Screenshots, Duplicates string
}

func (f ReasonFacts) fields() map[string]string {
	return map[string]string{
		"proof": clipTo(f.Proof, maxQuoted), "worker": f.Worker, "screenshots": f.Screenshots, "duplicates": f.Duplicates,
	}
}

// sampleFacts stand for any application when a template is tried.
var sampleFacts = ReasonFacts{Proof: "an answer", Worker: "1", Screenshots: "1", Duplicates: "1"}

var reasons memo[*textTemplate]

func compileReason(text string) (*textTemplate, error) { return parseTemplate(text, true) }

// RenderReason is what the worker is told. It fails where the item lacks a
// field, which Load has ruled out for the items of the campaign.
func (r *Rule) RenderReason(item Item, facts ReasonFacts) (string, error) {
	if !isTemplate(r.Reason) {
		return r.Reason, nil
	}
	t, err := reasons.get(r.Reason, compileReason)
	if err != nil {
		return "", err
	}
	text, err := t.renderReason(item, facts.fields())
	if err != nil {
		return "", fmt.Errorf("reason for item %q: %w", clip(item.Key), err)
	}
	return text, nil
}

// renderReason fills a template. A field of the item goes before a fact of the
// same name; .item.name means the field in any case.
func (t *textTemplate) renderReason(item Item, facts map[string]string) (string, error) {
	data := map[string]any{"item": item.Fields}
	for _, set := range []map[string]string{facts, item.Fields} {
		for name, value := range set {
			if name != "item" {
				data[name] = value
			}
		}
	}
	for _, name := range t.fields {
		if err := t.findField(name, item.Fields, facts); err != nil {
			return "", err
		}
	}
	var out limitedBuilder
	if err := t.Execute(&out, data); err != nil {
		return "", reason(err)
	}
	text := out.String()
	return text, checkReason(text)
}

func (t *textTemplate) findField(name string, fields, facts map[string]string) error {
	if of, nested := cutItem(name); nested {
		if _, found := fields[of]; !found {
			return errors.New(noField(of, fields))
		}
		return nil
	}
	_, own := fields[name]
	_, fact := facts[name]
	if own || fact {
		return nil
	}
	if name == "item" {
		return errors.New("item has fields, such as .item.city, and is no text itself")
	}
	known := slices.Sorted(maps.Keys(facts))
	for field := range fields {
		known = append(known, field)
	}
	return fmt.Errorf("no field %q%s", clip(name), didYouMean(name, known))
}

func cutItem(name string) (string, bool) {
	const prefix = "item."
	if len(name) > len(prefix) && name[:len(prefix)] == prefix {
		return name[len(prefix):], true
	}
	return name, false
}

func checkReason(s string) error {
	if err := checkText(s); err != nil {
		return err
	}
	if utf8.RuneCountInString(s) > maxReason {
		return fmt.Errorf("is longer than %d characters", maxReason)
	}
	return nil
}

func clipTo(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// reason tries what workers are told for every item.
func (d *decoder) reason(n *yaml.Node, text string, c *Campaign) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return // told already
	}
	if !isTemplate(text) {
		if err := checkReason(text); err != nil {
			d.at(n, "reason: %v", err)
		}
		return
	}
	t, err := reasons.get(text, compileReason)
	if err != nil {
		d.at(n, "reason: %v", err)
		return
	}
	items := c.Items
	if len(items) == 0 {
		if c.Job != nil {
			return // the items are what is wrong
		}
		items = []Item{{}}
	}
	for _, item := range items {
		if _, err := t.renderReason(item, sampleFacts.fields()); err != nil {
			d.at(n, "reason of item %q: %v", clip(item.Key), err)
			return
		}
	}
}
