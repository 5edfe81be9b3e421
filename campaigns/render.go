package campaigns

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxTitle is how many characters the title of a job may have.
const MaxTitle = 255

// text is one text of a job that may hold a template, and what it must be
// once it is rendered.
type text struct {
	what  string
	value *string
	check func(string) error
}

// texts are those of a job, in a fixed order.
func (j *Job) texts() []text {
	out := make([]text, 0, 2+len(j.Countries)+len(j.Steps)+len(j.Proof))
	out = append(out, text{"title", &j.Title, checkLine}, text{"category", &j.Category, checkLine})
	for i := range j.Countries {
		out = append(out, text{"countries", &j.Countries[i], checkLine})
	}
	return appendSteps(out, j.Steps, j.Proof)
}

// texts are those of an update, in a fixed order.
func (u *Update) texts() []text {
	var out []text
	if u.Title != nil {
		out = append(out, text{"title", u.Title, checkLine})
	}
	return appendSteps(out, u.Steps, u.Proof)
}

func appendSteps(out []text, steps []string, proof []Proof) []text {
	for i := range steps {
		out = append(out, text{"steps", &steps[i], checkText})
	}
	for i := range proof {
		out = append(out, text{"proof", &proof[i].Text, checkText})
	}
	return out
}

// checkLine wants a short text of one line.
func checkLine(s string) error {
	if err := checkText(s); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(s); n > MaxTitle {
		return fmt.Errorf("has %d characters, more than %d", n, MaxTitle)
	}
	for i := range len(s) {
		if s[i] == '\n' {
			return errors.New("has more than one line")
		}
	}
	return nil
}

// Render is the job of one item: every template is replaced by its text. It
// fails where the item lacks a field or a text comes out unfit, which Load has
// ruled out for the items of the campaign.
func (c *Campaign) Render(item Item) (Job, error) {
	if c.Job == nil {
		return Job{}, fmt.Errorf("campaign %q adopts jobs and has none to create", c.Name)
	}
	j := *c.Job
	j.Countries = slices.Clone(j.Countries)
	j.Steps = slices.Clone(j.Steps)
	j.Proof = slices.Clone(j.Proof)
	if err := renderAll(j.texts(), item); err != nil {
		return Job{}, err
	}
	return j, nil
}

// Render is the update for the job of one item, as Campaign.Render is for a
// job. Jobs that were adopted have the zero Item.
func (u *Update) Render(item Item) (Update, error) {
	out := *u
	if u.Title != nil {
		title := *u.Title
		out.Title = &title
	}
	out.Steps = slices.Clone(u.Steps)
	out.Proof = slices.Clone(u.Proof)
	if err := renderAll(out.texts(), item); err != nil {
		return Update{}, err
	}
	return out, nil
}

func renderAll(texts []text, item Item) error {
	for _, t := range texts {
		rendered, err := expand(*t.value, item.Fields)
		if err == nil {
			err = t.check(rendered)
		}
		if err != nil {
			return fmt.Errorf("%s of item %q: %w", t.what, clip(item.Key), err)
		}
		*t.value = rendered
	}
	return nil
}

// tryTemplates checks every text, and renders every template for every item,
// so that no job fails later for what is known now. Of one template the first
// item that does not fit is told.
func (d *decoder) tryTemplates(c *Campaign, texts []text, nodes []*yaml.Node) {
	for i, t := range texts {
		if nodes[i] == nil {
			continue
		}
		n := follow(nodes[i])
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			continue
		}
		if !isTemplate(*t.value) {
			if err := t.check(*t.value); err != nil {
				d.at(n, "%s: %v", t.what, err)
			}
			continue
		}
		compiled, err := templates.get(*t.value, compileTemplate)
		if err != nil {
			d.at(n, "%s: %v", t.what, err)
			continue
		}
		d.tryItems(c, t, compiled, n)
	}
}

func (d *decoder) tryItems(c *Campaign, t text, compiled *textTemplate, n *yaml.Node) {
	items := c.Items
	if c.Job == nil {
		items = []Item{{}}
	}
	for _, item := range items {
		rendered, err := compiled.render(item.Fields)
		if err == nil {
			err = t.check(rendered)
		}
		if err != nil {
			d.at(n, "%s of item %q of %q: %v", t.what, clip(item.Key), clip(c.Name), err)
			return
		}
	}
}
