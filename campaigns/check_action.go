package campaigns

import (
	"slices"
	"strings"
	"time"
)

// triggers are the keys of which an action has one.
var triggers = []string{"cron", "every", "at", "now", "on", "after"}

// timed are the keys that only slots in time can use.
var timed = []string{"from", "until", "except", "jitter", "catch_up", "catch_up_window"}

// checkTrigger wants one trigger, and beside it only what that can use.
func (d *decoder) checkTrigger(a *actionSpec) {
	var given []string
	for _, t := range triggers {
		if a.m.has(t) {
			given = append(given, t)
		}
	}
	switch len(given) {
	case 0:
		d.at(a.node, "the action has no time: give it one of %s", strings.Join(triggers, ", "))
		return
	case 1:
	default:
		d.at(a.m.key(given[1]), "an action has one of %s, not %s",
			strings.Join(triggers, ", "), strings.Join(given, " and "))
		return
	}
	for _, key := range useless(given[0]) {
		if a.m.has(key) {
			d.at(a.m.key(key), "%s goes with cron, every or at, not with %s", key, given[0])
		}
	}
	if given[0] == "cron" && !a.m.has("dst") {
		a.DST = DST{Gap: GapShift, Overlap: FirstTime}
	}
	if a.m.has("dst") && given[0] != "cron" {
		d.at(a.m.key("dst"), "dst goes with cron, not with %s", given[0])
	}
	d.checkSlots(a, given[0])
}

// useless are the keys that a trigger has no use for. What follows another
// action comes as often as that one does, so that it has no overlap of its own.
func useless(trigger string) []string {
	switch trigger {
	case "now", "on":
		return timed
	case "after":
		return append(slices.Clone(timed), "overlap")
	}
	return nil
}

// checkSlots finds schedules that never run, and those that run too often.
func (d *decoder) checkSlots(a *actionSpec, trigger string) {
	if a.Every != 0 && a.Jitter >= a.Every {
		d.at(a.m.get("jitter"), "jitter: %s is not less than every: %s", a.Jitter, a.Every)
	}
	if a.Every != 0 && a.Do.Paying() && a.Every < Duration(time.Minute) {
		d.warn(a.m.get("every"), "%s spends money more than once a minute", a.Do)
	}
	if a.On == OnNewApplication && a.Do.Paying() {
		d.warn(a.m.get("on"), "%s spends money for each new application", a.Do)
	}
	if a.From != nil && a.Until != nil && a.Until.Before(*a.From) {
		d.at(a.m.get("until"), "until is before from: the action never runs")
		return
	}
	bounded := a.From != nil || a.Until != nil || len(a.Except) > 0
	if !bounded || a.Cron == "" && a.Every == 0 && a.At == nil {
		return
	}
	s, err := a.Schedule()
	if err != nil {
		d.at(a.m.get(trigger), "%s: %v", trigger, err)
		return
	}
	if _, ok := s.Next(time.Unix(0, 0)); !ok {
		d.at(a.m.get(trigger), "%s: never runs: no slot is within from and until and outside except", trigger)
	}
}

// verbKeys says which verbs a key is for.
var verbKeys = []struct {
	key   string
	verbs []Verb
}{
	{"seats", []Verb{DoAddSeats, DoResume}},
	{"up_to", []Verb{DoAddSeats}},
	{"jobs", []Verb{DoAddSeats, DoRestart, DoPause, DoResume, DoUpdate, DoRate}},
	{"set", []Verb{DoUpdate}},
	{"rules", []Verb{DoRate}},
	{"max_decline", []Verb{DoRate}},
	{"hold", []Verb{DoRate}},
	{"audit_sample", []Verb{DoRate}},
	{"review_within", []Verb{DoRate}},
}

// checkVerb wants what the verb needs, refuses what it cannot use, and reads
// the parts that only one verb has.
func (d *decoder) checkVerb(a *actionSpec, c *Campaign) {
	for _, k := range verbKeys {
		if a.m.has(k.key) && !slices.Contains(k.verbs, a.Do) {
			d.at(a.m.key(k.key), "%s goes with %s, not with %s", k.key, joinVerbs(k.verbs), a.Do)
		}
	}
	if a.Jobs == "" && !a.m.has("jobs") {
		a.Jobs = defaultJobs(a.Do)
	}
	switch a.Do {
	case DoCreate:
		if c.Job == nil && len(c.Adopt) > 0 {
			d.at(a.node, "create needs a job: the campaign only adopts")
		}
	case DoAddSeats:
		switch seats, upTo := a.m.has("seats"), a.m.has("up_to"); {
		case seats && upTo:
			d.at(a.m.key("up_to"), "add_seats has seats or up_to, not both")
		case !seats && !upTo:
			d.at(a.node, "add_seats has no seats and no up_to")
		}
	case DoResume:
		d.require(a.node, a.m, "resume", "seats")
	case DoUpdate:
		d.require(a.node, a.m, "update", "set")
		if n := a.m.get("set"); n != nil {
			a.Set = d.update(n, c)
		}
	case DoRate:
		d.require(a.node, a.m, "rate", "rules")
		if n := a.m.get("rules"); n != nil {
			a.Rules = d.rules(n, c)
		}
		if !a.m.has("max_decline") {
			a.MaxDecline = 100
		}
		d.checkFairness(a)
	}
}

// checkFairness finds bounds that no rule can ever touch.
func (d *decoder) checkFairness(a *actionSpec) {
	if len(a.Rules) == 0 {
		return
	}
	for _, k := range []struct {
		key     string
		verdict Verdict
	}{{"max_decline", Decline}, {"hold", Decline}, {"audit_sample", Approve}} {
		used := slices.ContainsFunc(a.Rules, func(r Rule) bool { return r.Verdict == k.verdict })
		if a.m.has(k.key) && !used {
			d.warn(a.m.key(k.key), "%s changes nothing: no rule has the verdict %s", k.key, k.verdict)
		}
	}
	if a.Hold > 0 && a.ReviewWithin > 0 && a.Hold >= a.ReviewWithin {
		d.at(a.m.get("hold"), "hold: %s is not less than review_within: %s", a.Hold, a.ReviewWithin)
	}
}

func defaultJobs(v Verb) JobChoice {
	switch v {
	case DoCreate:
		return ""
	case DoResume:
		return JobsLatest
	}
	return JobsOnline
}

func joinVerbs(verbs []Verb) string {
	words := make([]string, len(verbs))
	for i, v := range verbs {
		words[i] = string(v)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
