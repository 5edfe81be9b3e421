package campaigns

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns/span"
)

// actionSpec is an action as it is read.
type actionSpec struct {
	Action
	node *yaml.Node
	m    mapping
	zone *time.Location
	// after are the places of what it follows.
	after afterNodes
}

var actionFields = []field[actionSpec]{
	{"id", func(d *decoder, a *actionSpec, n *yaml.Node) { a.ID = d.name(n, "_") }},
	{"do", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.Do = enum(d, n, DoCreate, DoAddSeats, DoRestart, DoPause, DoResume, DoUpdate, DoRate)
	}},
	{"cron", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Cron = d.cron(n) }},
	{"every", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.Every = d.duration(n, time.Second, 3660*span.Day)
	}},
	{"at", func(d *decoder, a *actionSpec, n *yaml.Node) { a.At = d.time(n, a.zone) }},
	{"now", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Now = d.now(n) }},
	{"on", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.On = enum(d, n, OnJobFinished, OnNewApplication)
	}},
	{"after", func(d *decoder, a *actionSpec, n *yaml.Node) { a.After, a.after = d.follows(n) }},
	{"timezone", skip[actionSpec]},
	{"from", func(d *decoder, a *actionSpec, n *yaml.Node) { a.From = d.bound(n, a.zone, false) }},
	{"until", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Until = d.bound(n, a.zone, true) }},
	{"except", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Except = d.except(n) }},
	{"dst", func(d *decoder, a *actionSpec, n *yaml.Node) { a.DST = d.dst(n) }},
	{"jitter", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Jitter = d.duration(n, 0, span.Day) }},
	{"catch_up", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.CatchUp = enum(d, n, CatchUpLast, CatchUpNone, CatchUpAll)
	}},
	{"catch_up_window", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.CatchUpWindow = d.duration(n, time.Second, 366*span.Day)
	}},
	{"overlap", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.Overlap = enum(d, n, OverlapSkip, OverlapAllow)
	}},
	{"jobs", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.Jobs = enum(d, n, JobsOnline, JobsLatest, JobsAll)
	}},
	{"seats", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Seats = d.seats(n) }},
	{"up_to", func(d *decoder, a *actionSpec, n *yaml.Node) { a.UpTo = d.seats(n) }},
	{"set", skip[actionSpec]},
	{"rules", skip[actionSpec]},
	{"max_decline", func(d *decoder, a *actionSpec, n *yaml.Node) { a.MaxDecline = d.percent(n) }},
	{"hold", func(d *decoder, a *actionSpec, n *yaml.Node) { a.Hold = d.duration(n, 0, 30*span.Day) }},
	{"audit_sample", func(d *decoder, a *actionSpec, n *yaml.Node) { a.AuditSample = d.percent(n) }},
	{"review_within", func(d *decoder, a *actionSpec, n *yaml.Node) {
		a.ReviewWithin = d.duration(n, time.Minute, 366*span.Day)
	}},
}

// newAction has the defaults of every action.
func newAction(zone string) Action {
	return Action{
		Timezone: zone, CatchUp: CatchUpLast, CatchUpWindow: Duration(span.Day), Overlap: OverlapSkip,
	}
}

// actions reads a campaign's actions and gives each its id.
func (d *decoder) actions(n *yaml.Node, c *Campaign) {
	d.key = "actions"
	list := d.list(n)
	c.Actions = make([]Action, 0, len(list))
	specs := make([]actionSpec, 0, len(list))
	for _, element := range list {
		if a, ok := d.action(follow(element), c); ok {
			specs = append(specs, a)
		}
	}
	d.identify(specs)
	for _, a := range specs {
		c.Actions = append(c.Actions, a.Action)
		d.link(c, &a)
	}
}

func (d *decoder) action(n *yaml.Node, c *Campaign) (actionSpec, bool) {
	m, ok := d.mapping(n, "an action")
	if !ok {
		return actionSpec{}, false
	}
	a := actionSpec{Action: newAction(d.zone(m, c.Timezone)), node: n, m: m}
	a.zone, _ = location(a.Timezone)
	fill(d, m, "the action", actionFields, &a)
	d.require(n, m, "the action", "do")
	if a.Do != "" {
		d.checkVerb(&a, c)
	}
	d.checkTrigger(&a)
	return a, true
}

// identify sets the id of an action that has none to its verb, which only the
// single action of that verb may do, and finds ids that come twice.
func (d *decoder) identify(specs []actionSpec) {
	verbs := make(map[Verb]int)
	for _, a := range specs {
		verbs[a.Do]++
	}
	ids := make(map[string]bool)
	for i := range specs {
		a := &specs[i]
		if !a.m.has("id") {
			a.ID = string(a.Do)
		}
		switch {
		case a.ID == "":
		case !a.m.has("id") && verbs[a.Do] > 1:
			d.at(a.node, "the campaign has more than one %s: give each an id", a.Do)
		case ids[a.ID]:
			d.at(a.node, "two actions have the id %q", a.ID)
		}
		ids[a.ID] = true
	}
}

func (d *decoder) cron(n *yaml.Node) string {
	s, ok := d.scalar(n)
	if !ok {
		return ""
	}
	c, err := crontabs.get(s, parseCron)
	if err != nil {
		d.at(n, "cron: %v", err)
		return ""
	}
	if c.eitherDay {
		d.warn(n, "cron: %q names days of the month and of the week, and runs on either", s)
	}
	return s
}

func (d *decoder) time(n *yaml.Node, zone *time.Location) *time.Time {
	s, ok := d.scalar(n)
	if !ok || zone == nil {
		return nil
	}
	t, err := parseTime(s, zone)
	if err != nil {
		d.at(n, "%s: %v", d.key, err)
		return nil
	}
	return &t
}

func (d *decoder) bound(n *yaml.Node, zone *time.Location, last bool) *time.Time {
	s, ok := d.scalar(n)
	if !ok || zone == nil {
		return nil
	}
	t, err := parseBound(s, zone, last)
	if err != nil {
		d.at(n, "%s: %v", d.key, err)
		return nil
	}
	return &t
}

func (d *decoder) now(n *yaml.Node) bool {
	now := d.boolean(n)
	if n.Value == "false" {
		d.at(n, "now can only be true: name another time or event in its place")
	}
	return now
}

// except reads days and ranges of days, or a single one.
func (d *decoder) except(n *yaml.Node) []DateRange {
	nodes := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		nodes = d.list(n)
	}
	var ranges []DateRange
	for _, node := range nodes {
		s, ok := d.scalar(follow(node))
		if !ok {
			continue
		}
		r, err := ParseDateRange(s)
		if err != nil {
			d.at(node, "except: %v", err)
			continue
		}
		ranges = append(ranges, r)
	}
	return ranges
}

var dstFields = []field[DST]{
	{"gap", func(d *decoder, s *DST, n *yaml.Node) { s.Gap = enum(d, n, GapShift, GapSkip) }},
	{"overlap", func(d *decoder, s *DST, n *yaml.Node) { s.Overlap = enum(d, n, FirstTime, LastTime) }},
}

func (d *decoder) dst(n *yaml.Node) DST {
	s := DST{Gap: GapShift, Overlap: FirstTime}
	if m, ok := d.mapping(n, "dst"); ok {
		fill(d, m, "dst", dstFields, &s)
	}
	return s
}

// percent reads whole percents such as 20%.
func (d *decoder) percent(n *yaml.Node) int {
	s, ok := d.scalar(n)
	if !ok {
		return 0
	}
	digits, isPercent := strings.CutSuffix(s, "%")
	if !isPercent {
		d.at(n, "%s: write a percentage such as 20%%, not %q", d.key, clip(s))
		return 0
	}
	number := *n
	number.Value = digits
	return int(d.integer(&number, 0, 100))
}
