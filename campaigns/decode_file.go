package campaigns

import (
	"path/filepath"

	"gopkg.in/yaml.v3"
)

var fileFields = []field[File]{
	{"version", func(d *decoder, _ *File, n *yaml.Node) { d.integer(n, 1, 1) }},
	{"name", func(d *decoder, f *File, n *yaml.Node) { f.Source = d.label(n) }},
	{"timezone", skip[File]},
	{"budget", func(d *decoder, f *File, n *yaml.Node) { f.Budget = d.budget(n, f.Timezone) }},
	{"min_balance", func(d *decoder, f *File, n *yaml.Node) { f.MinBalance = d.amount(n, 0) }},
	{"defaults", skip[File]},
	{"teams", func(d *decoder, f *File, n *yaml.Node) { f.Teams = d.readTeams(n) }},
	{"campaigns", skip[File]},
}

var defaultsFields = []field[jobSpec]{
	{"job", func(d *decoder, j *jobSpec, n *yaml.Node) { *j = d.job(n, jobSpec{}) }},
}

// spec reads the whole file: first what campaigns inherit, then the campaigns.
func (d *decoder) spec(n *yaml.Node) {
	m, ok := d.mapping(n, "a spec")
	if !ok {
		return
	}
	d.out.Source = filepath.Base(d.file)
	d.out.Timezone = d.zone(m, "UTC")
	fill(d, m, "the file", fileFields, &d.out)
	if v := m.get("defaults"); v != nil {
		if m, ok := d.mapping(v, "defaults"); ok {
			fill(d, m, "defaults", defaultsFields, &d.defaults)
		}
	}
	d.require(n, m, "the file", "campaigns")
	d.key = "campaigns"
	if v := m.get("campaigns"); v != nil {
		list := d.list(v)
		d.out.Campaigns = make([]Campaign, 0, len(list))
		for _, c := range list {
			if d.full {
				break
			}
			d.campaign(follow(c))
		}
	}
	d.checkLinks()
}

// label is a short text of one line.
func (d *decoder) label(n *yaml.Node) string {
	s, ok := d.scalar(n)
	if !ok {
		return ""
	}
	if err := checkLine(s); err != nil {
		d.at(n, "%s: %v", d.key, err)
	}
	return s
}

var teamFields = []field[Team]{
	{"name", func(d *decoder, t *Team, n *yaml.Node) { t.Name = d.label(n) }},
	{"members", func(d *decoder, t *Team, n *yaml.Node) { t.Members = d.members(n) }},
}

var memberFields = []field[TeamMember]{
	{"user", func(d *decoder, m *TeamMember, n *yaml.Node) { m.User = d.integer(n, 1, maxID) }},
	{"note", func(d *decoder, m *TeamMember, n *yaml.Node) { m.Note = d.label(n) }},
}

// maxID is the largest id of anything in the marketplace: as far as a JSON
// number is exact.
const maxID = 1<<53 - 1

func (d *decoder) readTeams(n *yaml.Node) []Team {
	var teams []Team
	for _, element := range d.list(n) {
		var t Team
		e := follow(element)
		m, ok := d.mapping(e, "a team")
		if !ok {
			continue
		}
		fill(d, m, "the team", teamFields, &t)
		d.require(e, m, "the team", "name")
		for _, known := range d.teams {
			if t.Name != "" && known == t.Name {
				d.at(m.get("name"), "two teams are named %q", t.Name)
			}
		}
		d.teams = append(d.teams, t.Name)
		teams = append(teams, t)
	}
	return teams
}

func (d *decoder) members(n *yaml.Node) []TeamMember {
	var members []TeamMember
	seen := make(map[int64]bool)
	for _, element := range d.list(n) {
		var t TeamMember
		e := follow(element)
		m, ok := d.mapping(e, "a member")
		if !ok {
			continue
		}
		fill(d, m, "the member", memberFields, &t)
		d.require(e, m, "the member", "user", "note")
		if t.User != 0 && seen[t.User] {
			d.at(m.get("user"), "user %d is in the team twice", t.User)
		}
		seen[t.User] = true
		members = append(members, t)
	}
	return members
}
