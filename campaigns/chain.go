package campaigns

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// afterNodes are where an action says what it follows: the whole value, the
// campaign (nil where it is left out) and the action.
type afterNodes struct{ whole, campaign, action *yaml.Node }

// link is an action that follows another one.
type link struct {
	name  string
	after *After
	nodes afterNodes
}

var afterFields = []field[After]{
	{"campaign", func(d *decoder, a *After, n *yaml.Node) { a.Campaign = d.name(n, "") }},
	{"action", func(d *decoder, a *After, n *yaml.Node) { a.Action = d.name(n, "_") }},
}

// follows reads what an action follows.
func (d *decoder) follows(n *yaml.Node) (*After, afterNodes) {
	m, ok := d.mapping(n, "after")
	if !ok {
		return nil, afterNodes{}
	}
	var a After
	fill(d, m, "after", afterFields, &a)
	d.require(n, m, "after", "action")
	d.key = "after"
	return &a, afterNodes{n, m.get("campaign"), m.get("action")}
}

// link keeps what an action follows until all campaigns are read. The campaign
// is its own unless it names another one.
func (d *decoder) link(c *Campaign, a *actionSpec) {
	if a.After == nil {
		return
	}
	if a.After.Campaign == "" && a.after.campaign == nil {
		a.After.Campaign = c.Name
	}
	d.links = append(d.links, link{c.Name + "/" + a.ID, a.After, a.after})
}

// checkLinks finds actions that follow what is not there, and those that follow
// each other in a circle. Chains stay within a file, so that a name can be
// checked before anything is applied.
func (d *decoder) checkLinks() {
	if len(d.links) == 0 {
		return
	}
	byName := make(map[string]*Campaign, len(d.out.Campaigns))
	names := make([]string, 0, len(d.out.Campaigns))
	for i := range d.out.Campaigns {
		c := &d.out.Campaigns[i]
		byName[c.Name] = c
		names = append(names, c.Name)
	}
	for _, l := range d.links {
		d.checkLink(l, byName, names)
	}
	d.circles()
}

func (d *decoder) checkLink(l link, byName map[string]*Campaign, names []string) {
	if l.after.Action == "" || l.after.Campaign == "" {
		return // told already
	}
	c := byName[l.after.Campaign]
	if c == nil {
		d.at(l.nodes.campaign, "after: this file has no campaign %q%s", clip(l.after.Campaign), DidYouMean(l.after.Campaign, names))
		return
	}
	i := slices.IndexFunc(c.Actions, func(a Action) bool { return a.ID == l.after.Action })
	if i < 0 {
		ids := make([]string, len(c.Actions))
		for i := range c.Actions {
			ids[i] = c.Actions[i].ID
		}
		d.at(l.nodes.action, "after: campaign %s has no action %q%s", c.Name, clip(l.after.Action), didYouMean(l.after.Action, ids))
		return
	}
	if c.Actions[i].Do == DoRate {
		d.at(l.nodes.action, "after: a rate has no end to wait for: wait for the event with on, or for another action")
	}
}

// circles reports each circle once, at its first action in the file.
func (d *decoder) circles() {
	next := make(map[string]string, len(d.links))
	for _, l := range d.links {
		next[l.name] = l.after.Campaign + "/" + l.after.Action
	}
	done := make(map[string]bool, len(d.links))
	for _, l := range d.links {
		var path []string
		for at := l.name; !done[at] && next[at] != ""; at = next[at] {
			if i := slices.Index(path, at); i >= 0 {
				d.circle(append(path[i:], at))
				break
			}
			path = append(path, at)
		}
		for _, name := range path {
			done[name] = true
		}
	}
}

func (d *decoder) circle(path []string) {
	const few = 8
	for _, l := range d.links {
		if !slices.Contains(path, l.name) {
			continue
		}
		if len(path) > few {
			path = append(path[:few:few], "…")
		}
		d.at(l.nodes.whole, "after: these wait for each other and never run: %s", strings.Join(path, " after "))
		return
	}
}
