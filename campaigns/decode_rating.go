package campaigns

import (
	"errors"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/internal/rules"
)

var ruleFields = []field[Rule]{
	{"when", func(d *decoder, r *Rule, n *yaml.Node) { r.When, _ = d.scalar(n) }},
	{"verdict", func(d *decoder, r *Rule, n *yaml.Node) {
		r.Verdict = enum(d, n, Approve, Decline, Redo, Leave)
	}},
	{"reason", func(d *decoder, r *Rule, n *yaml.Node) { r.Reason, _ = d.scalar(n) }},
}

func (d *decoder) rules(n *yaml.Node, c *Campaign) []Rule {
	d.key = "rules"
	var list []Rule
	var nodes []*yaml.Node
	for _, element := range d.list(n) {
		var r Rule
		e := follow(element)
		m, ok := d.mapping(e, "a rule")
		if !ok {
			continue
		}
		fill(d, m, "the rule", ruleFields, &r)
		d.require(e, m, "the rule", "when", "verdict")
		if when := m.get("when"); when != nil && r.When != "" {
			d.condition(when, r.When, c)
		}
		if reason := m.get("reason"); reason != nil {
			d.reason(follow(reason), r.Reason, c)
		}
		told := r.Verdict == Decline || r.Verdict == Redo
		switch {
		case told && !m.has("reason"):
			d.at(e, "%s needs a reason, which the worker is told", r.Verdict)
		case !told && r.Verdict != "" && m.has("reason"):
			d.warn(m.key("reason"), "the reason is told to nobody: %s has none", r.Verdict)
		}
		list, nodes = append(list, r), append(nodes, e)
	}
	d.unreachable(list, nodes)
	return list
}

// unreachable warns of rules that can never decide.
func (d *decoder) unreachable(list []Rule, nodes []*yaml.Node) {
	conditions := make([]string, len(list))
	for i := range list {
		conditions[i] = list[i].When
	}
	found := rules.Unreachable(conditions)
	for i := range list {
		if why, ok := found[i]; ok {
			d.warn(nodes[i], "rule %d %s", i+1, why)
		}
	}
}

// condition tries to compile a rule, and looks for fields that no item has.
func (d *decoder) condition(n *yaml.Node, when string, c *Campaign) {
	rule, err := rules.Compile(when)
	if err != nil {
		d.conditionFault(n, when, err)
		return
	}
	for _, name := range rule.Fields() {
		if len(c.Items) == 0 && c.Job != nil {
			return
		}
		var fields map[string]string
		if len(c.Items) > 0 {
			fields = c.Items[0].Fields
		}
		if _, ok := fields[name]; !ok {
			d.at(n, "when: %s", noField(name, fields))
		}
	}
}

// conditionFault tells what is wrong with a condition at the place in the file
// where that is, which is known where the text stands there as it is.
func (d *decoder) conditionFault(n *yaml.Node, when string, err error) {
	var fault *rules.Error
	if !errors.As(err, &fault) || fault.Line > 1 || !verbatim(n, when) {
		d.at(n, "when: %v", err)
		return
	}
	at := *n
	at.Column += fault.Column - 1
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		at.Column++
	}
	d.at(&at, "when: %s", fault.Message)
}

// verbatim tells a text on one line, without anything that YAML writes another
// way than it means.
func verbatim(n *yaml.Node, text string) bool {
	return n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && n.Kind == yaml.ScalarNode &&
		!strings.ContainsAny(text, "\n") &&
		(n.Style&yaml.DoubleQuotedStyle == 0 || !strings.ContainsAny(text, "\"\\\t")) &&
		(n.Style&yaml.SingleQuotedStyle == 0 || !strings.Contains(text, "'"))
}

// updateSpec is the set of an update action as it is read.
type updateSpec struct {
	Update
	m            mapping
	steps, proof []*yaml.Node
}

var updateFields = []field[updateSpec]{
	{"title", func(d *decoder, u *updateSpec, n *yaml.Node) {
		if s, ok := d.scalar(n); ok {
			u.Title = &s
		}
	}},
	{"minutes", func(d *decoder, u *updateSpec, n *yaml.Node) {
		v := d.minutes(n)
		u.Minutes = &v
	}},
	{"steps", func(d *decoder, u *updateSpec, n *yaml.Node) { u.Steps, u.steps = d.scalars(n) }},
	{"proof", func(d *decoder, u *updateSpec, n *yaml.Node) { u.Proof, u.proof = d.proofs(n) }},
	{"limit", func(d *decoder, u *updateSpec, n *yaml.Node) { u.Limit = d.limit(n) }},
	{"restart_every", func(d *decoder, u *updateSpec, n *yaml.Node) {
		v := d.restartEvery(n)
		u.RestartEvery = &v
	}},
}

// nodes are the places of texts, in the same order.
func (u *updateSpec) nodes() []*yaml.Node {
	var nodes []*yaml.Node
	if u.Title != nil {
		nodes = append(nodes, u.m.get("title"))
	}
	nodes = append(nodes, u.steps...)
	return append(nodes, u.proof...)
}

func (d *decoder) update(n *yaml.Node, c *Campaign) *Update {
	d.key = "set"
	m, ok := d.mapping(n, "set")
	if !ok {
		return nil
	}
	if len(m) == 0 {
		d.at(n, "set is empty: name what to change")
	}
	u := updateSpec{m: m}
	fill(d, m, "set", updateFields, &u)
	if c.Job == nil || len(c.Items) > 0 {
		d.tryTemplates(c, u.texts(), u.nodes())
	}
	own := u.Update
	return &own
}
