package campaigns

import "gopkg.in/yaml.v3"

var campaignFields = []field[Campaign]{
	{"name", func(d *decoder, c *Campaign, n *yaml.Node) { c.Name = d.name(n, "") }},
	{"timezone", skip[Campaign]},
	{"items", skip[Campaign]},
	{"job", skip[Campaign]},
	{"adopt", func(d *decoder, c *Campaign, n *yaml.Node) { c.Adopt = d.adopt(n) }},
	{"budget", func(d *decoder, c *Campaign, n *yaml.Node) { c.Budget = d.budget(n, c.Timezone) }},
	{"actions", skip[Campaign]},
}

// campaign reads one entry and adds it to the file. Items come before the job
// and the actions, whose templates are tried on them.
func (d *decoder) campaign(n *yaml.Node) {
	m, ok := d.mapping(n, "a campaign")
	if !ok {
		return
	}
	c := Campaign{
		Source: d.out.Source, Timezone: d.zone(m, d.out.Timezone),
		FileBudget: d.out.Budget, MinBalance: d.out.MinBalance,
	}
	fill(d, m, "the campaign", campaignFields, &c)
	d.require(n, m, "the campaign", "name")
	d.uniqueName(m.get("name"), c.Name)
	d.campaignItems(m, &c)
	job := d.campaignJob(n, m, &c)
	d.campaignActions(n, m, &c)
	d.checkBudget(m, &c)
	if job.RestartEvery != 0 {
		d.twoRestarts(job, &c)
	}
	d.out.Campaigns = append(d.out.Campaigns, c)
}

func (d *decoder) uniqueName(n *yaml.Node, name string) {
	if n == nil || name == "" {
		return
	}
	if line, taken := d.names[name]; taken {
		d.at(n, "two campaigns are named %q, the first on line %d", clip(name), line)
		return
	}
	if d.names == nil {
		d.names = make(map[string]int)
	}
	d.names[name] = n.Line
}

// adopt reads ids of jobs, each of which only one campaign may have.
func (d *decoder) adopt(n *yaml.Node) []int64 {
	var ids []int64
	for _, element := range d.list(n) {
		e := follow(element)
		id := d.integer(e, 1, maxID)
		if line, taken := d.adopted[id]; taken && id != 0 {
			d.at(e, "job %d is adopted twice, first on line %d", id, line)
		}
		if d.adopted == nil {
			d.adopted = make(map[int64]int)
		}
		d.adopted[id] = e.Line
		ids = append(ids, id)
	}
	return ids
}

func (d *decoder) campaignItems(m mapping, c *Campaign) {
	v := m.get("items")
	switch {
	case m.has("adopt") && !m.has("job"):
		if m.has("items") {
			d.at(m.key("items"), "items have no use in a campaign that only adopts: add a job or take them out")
		}
	case v != nil:
		c.Items = d.readItems(v)
	case !m.has("items"):
		c.Items = []Item{{Key: "-"}}
	}
}

// campaignJob reads the job, or finds that there need be none.
func (d *decoder) campaignJob(n *yaml.Node, m mapping, c *Campaign) jobSpec {
	v := m.get("job")
	if v == nil {
		if !m.has("job") && !m.has("adopt") {
			d.at(n, "the campaign has no job, and no adopt: it has nothing to act on")
		}
		return jobSpec{}
	}
	job := d.job(v, d.defaults)
	d.checkJob(v, &job)
	own := job.Job // not &job.Job, which would keep the nodes in memory
	c.Job = &own
	d.tryTemplates(c, own.texts(), job.nodes())
	return job
}

func (d *decoder) campaignActions(n *yaml.Node, m mapping, c *Campaign) {
	v := m.get("actions")
	switch {
	case v != nil:
		d.actions(v, c)
	case m.has("actions"):
	case !m.has("job") && m.has("adopt"):
		d.at(n, "the campaign has no actions: one that only adopts has no create to fall back on")
	default:
		a := newAction(c.Timezone)
		a.ID, a.Do, a.Now = string(DoCreate), DoCreate, true
		c.Actions = []Action{a}
	}
}

// checkBudget warns of a cap that lets nothing be bought.
func (d *decoder) checkBudget(m mapping, c *Campaign) {
	if c.Job == nil {
		return
	}
	least, err := c.Job.Price.Times(int64(c.Job.Seats))
	if err != nil {
		d.at(m.key("job"), "price times seats: %v", err)
		return
	}
	for _, b := range []*Budget{c.Budget, c.FileBudget} {
		if b == nil || b.Cap == 0 || least <= b.Cap {
			continue
		}
		at := m.key("job")
		if b == c.Budget {
			at = m.get("budget")
		}
		d.warn(at, "one job of %q costs %s and more, the cap is %s: none will be made", c.Name, least, b.Cap)
	}
	if b, f := c.Budget, c.FileBudget; b != nil && f != nil && b.Per == f.Per && b.Cap > f.Cap {
		d.warn(m.get("budget"), "the cap of %s is above the file's own of %s, which holds as well", b.Cap, f.Cap)
	}
}

// twoRestarts warns where the marketplace and the runner both restart a job.
func (d *decoder) twoRestarts(job jobSpec, c *Campaign) {
	for _, a := range c.Actions {
		if a.Do == DoRestart {
			d.warn(job.node("restart_every"),
				"%q is restarted by the marketplace and by a restart action: keep one", c.Name)
			return
		}
	}
}
