package main

import "slices"

// verbs are what actions do, and the keys that only some of them have.
var verbs = []struct {
	do   string
	keys []string
}{
	{"create", nil},
	{"add_seats", []string{"jobs", "seats", "up_to"}},
	{"restart", []string{"jobs"}},
	{"pause", []string{"jobs"}},
	{"resume", []string{"jobs", "seats"}},
	{"update", []string{"jobs", "set"}},
	{"rate", []string{"jobs", "rules", "max_decline", "hold", "audit_sample", "review_within"}},
}

func action() *schema {
	var names []any
	for _, v := range verbs {
		names = append(names, v.do)
	}
	a := object("What to do, and when.", []string{"do"},
		entry{"id", about(id, "Tells the action from others of its verb. Default: the verb.")},
		entry{"do", words("The verb.", "", names...)},
		entry{"cron", cron()},
		entry{"every", about(duration, "An interval of whole seconds, counted from the Unix epoch.")},
		entry{"at", about(pattern("^"+moments+"$"), "One moment, such as 2026-12-01T09:00.")},
		entry{"now", about(&schema{Const: true}, "Once, as soon as the spec is applied.")},
		entry{"on", words("An event of the marketplace.", "", "job-finished", "new-application")},
		entry{"after", object("Once all operations of an occurrence of another action are settled, and one at least was applied.",
			[]string{"action"},
			entry{"campaign", about(name, "A campaign of this file. Default: this one.")},
			entry{"action", about(id, "The action's id, which by default is its verb.")})},
		entry{"timezone", zone},
		entry{"from", about(bound(), "No slot before this moment, or this day.")},
		entry{"until", about(bound(), "No slot after this moment, or this day.")},
		entry{"except", except()},
		entry{"dst", object("What becomes of cron's times when clocks change.", nil,
			entry{"gap", words("A time that does not exist runs right after the gap, or not.",
				"shift", "shift", "skip")},
			entry{"overlap", words("A time that comes twice runs at the first, or the last.",
				"first", "first", "last")})},
		entry{"jitter", about(duration, "Delays each slot by less than this. Default 0.")},
		entry{"catch_up", words("Which of the slots that passed while nothing ran are made up for.",
			"last", "last", "none", "all")},
		entry{"catch_up_window", about(duration, "How far back that looks. Default 24h.")},
		entry{"overlap", words("What happens while the last slot is not settled.", "skip", "skip", "allow")},
		entry{"jobs", words("Which jobs of the campaign: those online, the latest of each item, or all. "+
			"For resume the default is latest.",
			"online", "online", "latest", "all")},
		entry{"seats", about(count(1_000_000), "How many seats to buy.")},
		entry{"up_to", about(count(1_000_000), "A target: only the gap is bought.")},
		entry{"set", ref("set")},
		entry{"rules", about(list(ref("rule")), "The first that fits decides; none fits: left for a person.")},
		entry{"max_decline", about(pattern(`^(100|[1-9]?[0-9])%$`),
			"The share of a run past which declines are held for a person. Default 100%.")},
		entry{"hold", about(duration, "How long a decline waits before it goes out, so that a person can look. Default 0s.")},
		entry{"audit_sample", about(pattern(`^(100|[1-9]?[0-9])%$`),
			"The share of approvals that is left to a person. Default 0%.")},
		entry{"review_within", about(duration, "How long an application may wait for its verdict before a person is told.")},
	)
	a.OneOf = oneOf("cron", "every", "at", "now", "on", "after")
	a.DependentRequired = map[string][]string{"dst": {"cron"}}
	timeless := without("from", "until", "except", "jitter", "catch_up", "catch_up_window")
	a.AllOf = []*schema{
		{If: either(given("now"), given("on"), given("after")), Then: timeless},
		{If: given("after"), Then: without("overlap")},
	}
	for _, v := range verbs {
		a.AllOf = append(a.AllOf, &schema{If: with("do", v.do), Then: needs(v.do, v.keys)})
	}
	return a
}

// needs is what a verb must have and must not have.
func needs(do string, keys []string) *schema {
	var foreign []string
	for _, v := range verbs {
		for _, key := range v.keys {
			if !slices.Contains(keys, key) && !slices.Contains(foreign, key) {
				foreign = append(foreign, key)
			}
		}
	}
	s := without(foreign...)
	switch do {
	case "add_seats":
		s.OneOf = oneOf("seats", "up_to")
	case "resume":
		s.Required = []string{"seats"}
	case "update":
		s.Required = []string{"set"}
	case "rate":
		s.Required = []string{"rules"}
	}
	return s
}

func cron() *schema {
	return about(either(
		pattern(`^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$`),
		pattern(`^\s*[0-9*?/,-]+(\s+[0-9A-Za-z*?/,-]+){4}\s*$`),
	), "Minute, hour, day of the month, month and day of the week, such as 0 9 * * MON; or @daily and the like.")
}

func bound() *schema { return pattern("^" + date + "$|^" + moments + "$") }

func except() *schema {
	days := pattern("^" + date + `(\.\.` + date + ")?$")
	return about(either(days, list(days)), "Days without slots, such as 2026-12-25 or 2026-12-24..2026-12-31.")
}

func rule() *schema {
	r := object("A condition and what follows.", []string{"when", "verdict"},
		entry{"when", about(body, "An expression over proof, screenshots, age, worker, duplicates, "+
			"earlier, worker_approved, worker_declined, agreement and item.")},
		entry{"verdict", words("What becomes of the application.", "", "approve", "decline", "redo", "leave")},
		entry{"reason", about(body, "Told to the worker; needed to decline and to redo. A template over item, worker, proof, "+
			"screenshots and duplicates.")},
	)
	r.If = either(with("verdict", "decline"), with("verdict", "redo"))
	r.Then = given("reason")
	return r
}

func set() *schema {
	s := object("What an update changes.", nil,
		entry{"title", line},
		entry{"minutes", count(100_000)},
		entry{"steps", list(body)},
		entry{"proof", list(ref("proof"))},
		entry{"limit", limit()},
		entry{"restart_every", restartEvery()},
	)
	s.MinProperties = new(uint64(1))
	return s
}
