package campaigns

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns/span"
)

// jobSpec is a job as it is read: what the campaign says over what the
// defaults say.
type jobSpec struct {
	Job
	own, base mapping
	countries []*yaml.Node
	steps     []*yaml.Node
	proof     []*yaml.Node
}

var jobFields = []field[jobSpec]{
	{"title", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Title, _ = d.scalar(n) }},
	{"category", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Category, _ = d.scalar(n) }},
	{"price", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Price = d.amount(n, smallest) }},
	{"seats", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Seats = d.seats(n) }},
	{"countries", func(d *decoder, j *jobSpec, n *yaml.Node) { d.countries(n, j) }},
	{"team", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Team = d.team(n) }},
	{"minutes", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Minutes = d.minutes(n) }},
	{"steps", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Steps, j.steps = d.scalars(n) }},
	{"proof", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Proof, j.proof = d.proofs(n) }},
	{"limit", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Limit = d.limit(n) }},
	{"automated", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Automated = d.boolean(n) }},
	{"tweet", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Tweet = d.boolean(n) }},
	{"hidden", func(d *decoder, j *jobSpec, n *yaml.Node) { j.Hidden = d.boolean(n) }},
	{"restart_every", func(d *decoder, j *jobSpec, n *yaml.Node) { j.RestartEvery = d.restartEvery(n) }},
}

// node is where a key of the job has its value, or nil.
func (j *jobSpec) node(key string) *yaml.Node {
	if n := j.own.get(key); n != nil {
		return n
	}
	return j.base.get(key)
}

// nodes are the places of texts, in the same order; nil where there is none.
func (j *jobSpec) nodes() []*yaml.Node {
	nodes := []*yaml.Node{j.node("title"), j.node("category")}
	nodes = append(nodes, j.countries...)
	nodes = append(nodes, j.steps...)
	return append(nodes, j.proof...)
}

// job reads a job over a base. A team replaces the base's countries and the
// other way round.
func (d *decoder) job(n *yaml.Node, base jobSpec) jobSpec {
	j := base
	j.own, j.base = nil, base.own
	m, ok := d.mapping(n, "job")
	if !ok {
		return j
	}
	j.own = m
	fill(d, m, "the job", jobFields, &j)
	switch team, countries := m.has("team"), m.has("countries"); {
	case team && countries:
		d.at(m.key("team"), "a job has countries or a team, not both")
	case team:
		j.Countries, j.countries = nil, nil
	case countries:
		j.Team = ""
	}
	return j
}

// checkJob finds what is missing in a job once the defaults are merged, and
// what does not go together.
func (d *decoder) checkJob(n *yaml.Node, j *jobSpec) {
	if n.Kind != yaml.MappingNode {
		return
	}
	placed := func(key string) bool { return j.own.has(key) || j.base.has(key) }
	for _, key := range []string{"title", "category", "price", "seats", "minutes", "steps", "proof"} {
		if !placed(key) {
			d.at(n, "the job has no %s", key)
		}
	}
	if !placed("countries") && !placed("team") {
		d.at(n, "the job has no countries and no team: countries: INT is everyone")
	}
	for i, p := range j.Proof {
		if !slices.Contains(paidEngagement, p.Type) {
			continue
		}
		if !j.Automated {
			d.at(j.proof[i], "proof of type %s needs automated: true", p.Type)
		}
		d.warn(j.proof[i], "%s buys engagement, which most platforms forbid", p.Type)
	}
	d.warnOfEngagement(j)
}

// paidEngagement are the marketplace's proofs of automated jobs.
var paidEngagement = []string{"send_tweet", "like_tweet", "tweeter_followers"}

// bought are words of jobs that buy likes, followers or praise.
var bought = []string{
	"follow me", "follow us", "follow my", "follow our", "followers", "like my", "like our",
	"like and subscribe", "subscribe to my", "subscribe to our", "upvote", "retweet",
	"positive review", "5 star review", "five star review", "5-star review",
}

func (d *decoder) warnOfEngagement(j *jobSpec) {
	if word := buys(j.Title); word != "" {
		d.warn(j.node("title"), "the title asks to %q: bought engagement is forbidden by most platforms", word)
	}
	for i, step := range j.Steps {
		if word := buys(step); word != "" {
			d.warn(j.steps[i], "a step asks to %q: bought engagement is forbidden by most platforms", word)
		}
	}
}

func buys(text string) string {
	text = strings.ToLower(text)
	for _, word := range bought {
		if strings.Contains(text, word) {
			return word
		}
	}
	return ""
}

func (d *decoder) seats(n *yaml.Node) int   { return int(d.integer(n, 1, 1_000_000)) }
func (d *decoder) minutes(n *yaml.Node) int { return int(d.integer(n, 1, 100_000)) }

// restartEvery is what the marketplace takes: a minute to 360 days, 0 is off.
func (d *decoder) restartEvery(n *yaml.Node) Duration {
	if n.Value == "0" {
		return 0
	}
	return d.duration(n, time.Minute, 360*span.Day)
}

// countries is a list, or a single country.
func (d *decoder) countries(n *yaml.Node, j *jobSpec) {
	nodes := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		nodes = d.list(n)
	}
	j.Countries, j.countries = make([]string, len(nodes)), nodes
	for i, node := range nodes {
		node = follow(node)
		s, _ := d.scalar(node)
		switch {
		case strings.EqualFold(s, "INT") && s != "INT":
			d.at(node, "countries: write INT in capitals")
		case s == "INT" && len(nodes) > 1:
			d.at(node, "countries: INT means everyone and stands alone")
		case s != "" && slices.Contains(j.Countries[:i], s):
			d.at(node, "countries: %q comes twice", clip(s))
		}
		j.Countries[i] = s
	}
}

func (d *decoder) team(n *yaml.Node) string {
	s := d.label(n)
	if s != "" && !slices.Contains(d.teams, s) {
		d.at(n, "team %q is not among the file's teams%s", clip(s), didYouMean(s, d.teams))
	}
	return s
}

// proofs reads a list of single pairs such as `- text: "The signs"`, and
// returns where the texts are.
func (d *decoder) proofs(n *yaml.Node) ([]Proof, []*yaml.Node) {
	types := append([]string{"text", "image"}, paidEngagement...)
	var proofs []Proof
	var nodes []*yaml.Node
	for _, element := range d.list(n) {
		e := follow(element)
		m, ok := d.mapping(e, "a proof")
		switch {
		case !ok:
			continue
		case len(m) != 2:
			d.at(e, `a proof is one pair such as text: "The signs, one a line"`)
			continue
		case !slices.Contains(types, m[0].Value):
			d.at(m[0], "unknown proof type %q%s", clip(m[0].Value), didYouMean(m[0].Value, types))
			continue
		}
		text, _ := d.scalar(follow(m[1]))
		proofs = append(proofs, Proof{Type: m[0].Value, Text: text})
		nodes = append(nodes, follow(m[1]))
	}
	return proofs, nodes
}

// limit reads "10/hour" or "10/day".
func (d *decoder) limit(n *yaml.Node) *Limit {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	l, err := ParseLimit(s)
	if err != nil {
		d.at(n, "limit: %v", err)
		return nil
	}
	return &l
}
