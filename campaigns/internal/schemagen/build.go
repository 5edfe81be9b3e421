package main

import (
	"bytes"
	"encoding/json"

	"github.com/invopop/jsonschema" //nolint:depguard // a tool of the build, not a part of the package
)

// build is the schema of a spec file: the form that people write, not the one
// that the program keeps, so it is put together by hand.
func build() ([]byte, error) {
	root := object("A spec of the campaign runner: campaigns of small paid jobs, "+
		"when to act on them, and what they may cost.",
		[]string{"campaigns"},
		entry{"version", &schema{Const: 1, Description: "The version of the spec language. Default 1."}},
		entry{"name", about(line, "Tells this file's campaigns from those of others. Default: the file's name.")},
		entry{"timezone", zone},
		entry{"budget", about(ref("budget"), "Spans all campaigns of the file.")},
		entry{"min_balance", about(balance, "What must stay in the account, in USD. Default 0.")},
		entry{"defaults", object("What campaigns share.", nil,
			entry{"job", about(ref("job"), "Merged into every job; what a job says itself wins.")})},
		entry{"teams", about(list(ref("team")), "Teams that the runner makes and keeps in step.")},
		entry{"campaigns", list(ref("campaign"))},
	)
	root.Version = jsonschema.Version
	root.Title = "Campaign spec"
	root.Definitions = jsonschema.Definitions{
		"team": team(), "campaign": campaign(), "items": items(), "job": job(), "proof": proof(),
		"budget": budget(), "action": action(), "rule": rule(), "set": set(),
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return out.Bytes(), err
}

func team() *schema {
	member := object("A worker of the team.", []string{"user", "note"},
		entry{"user", about(ids, "The worker's id.")},
		entry{"note", about(line, "What you know the worker by.")},
	)
	return object("A list of workers.", []string{"name"},
		entry{"name", line}, entry{"members", list(member)})
}

func campaign() *schema {
	c := object("Jobs that belong together, and what to do with them.", []string{"name"},
		entry{"name", about(name, "Unique in the account.")},
		entry{"timezone", zone},
		entry{"items", ref("items")},
		entry{"job", about(ref("job"), "What to create, once for each item.")},
		entry{"adopt", &schema{
			Type: "array", Items: ids, MinItems: new(uint64(1)), UniqueItems: true,
			Description: "Ids of jobs made by hand that the campaign takes over.",
		}},
		entry{"budget", about(ref("budget"), "Caps this campaign.")},
		entry{"actions", about(list(ref("action")), "Default: create, now.")},
	)
	c.AnyOf = oneOf("job", "adopt")
	c.If = &schema{Not: given("job")}
	c.Then = &schema{Required: []string{"actions"}, Properties: without("items").Properties}
	return c
}

func items() *schema {
	fields := &schema{
		Type: "object", MinProperties: new(uint64(1)), AdditionalProperties: value,
		Description: "The fields of an item, which templates see as {{ .name }}.",
	}
	values := about(list(either(value, fields)),
		"Mappings of fields, or plain values, which become the field item.")
	long := object("Items of one source.", nil,
		entry{"list", values},
		entry{"matrix", &schema{
			Type: "object", MinProperties: new(uint64(1)), AdditionalProperties: list(value),
			Description: "One item for each combination of these values.",
		}},
		entry{"exclude", about(list(fields), "Combinations of the matrix that are left out.")},
		entry{"rows", about(pattern(`\.([cC][sS][vV]|[jJ][sS][oO][nN][lL])$`),
			"A CSV file with a header, or a JSONL file, in the spec's directory.")},
		entry{"key", about(line, "The field that makes an item itself. Default: a digest of all fields.")},
	)
	long.OneOf = oneOf("list", "matrix", "rows")
	long.DependentRequired = map[string][]string{"exclude": {"matrix"}}
	long.DependentSchemas = map[string]*schema{"matrix": without("key")}
	return about(either(values, long), "What jobs are made from: one job for each item.")
}

func job() *schema {
	j := object("A job of the marketplace. Texts may hold templates over the item's fields.", nil,
		entry{"title", line},
		entry{"category", about(line, "An id, a slug or a title of the marketplace.")},
		entry{"price", about(money, "What one seat pays the worker, in USD: at most 6 decimals.")},
		entry{"seats", about(count(1_000_000), "How many workers may do the job.")},
		entry{"countries", about(either(line, list(line)), "INT, which is everyone, or codes, ids or names.")},
		entry{"team", about(line, "Only for this team, instead of countries.")},
		entry{"minutes", about(count(100_000), "The estimated time for one seat.")},
		entry{"steps", about(list(body), "What the worker is to do.")},
		entry{"proof", about(list(ref("proof")), "What the worker must hand in.")},
		entry{"limit", limit()},
		entry{"automated", boolean("Checked by the marketplace itself. Default false.")},
		entry{"tweet", boolean("Announced by the marketplace, for a fee. Default false.")},
		entry{"hidden", boolean("Not for search engines. Default false.")},
		entry{"restart_every", restartEvery()},
	)
	j.Not = &schema{Required: []string{"countries", "team"}}
	return j
}

func limit() *schema {
	return about(pattern(`^[1-9][0-9]*/(hour|day)$`),
		"How many seats may be done, such as 10/hour or 50/day. Default: no limit.")
}

func restartEvery() *schema {
	return about(either(&schema{Const: 0}, duration),
		"Lets the same workers in again after this long: 60s to 360d. Default 0, never.")
}

func proof() *schema {
	p := object("One thing to hand in: its type and what it is.", nil,
		entry{"text", body}, entry{"image", body},
		entry{"send_tweet", about(body, "In automated jobs only.")},
		entry{"like_tweet", about(body, "In automated jobs only.")},
		entry{"tweeter_followers", about(body, "In automated jobs only.")},
	)
	p.MinProperties, p.MaxProperties = new(uint64(1)), new(uint64(1))
	return p
}

func budget() *schema {
	b := object("A cap on what may be committed, fees and all.", []string{"cap"},
		entry{"cap", about(money, "The most that is ever committed in one window, in USD.")},
		entry{"pause_at", about(either(money, share),
			"An amount or a share of the cap at which jobs are paused. Default: never.")},
		entry{"per", words("The window.", "total", "total", "month", "week", "day")},
		entry{"measure", words("What pause_at compares with: what is committed, "+
			"or the seats filled times the price.",
			"committed", "committed", "consumed")},
		entry{"resume", words("What ends the pause: a person, or the next window.", "manual", "manual", "window")},
		entry{"timezone", zone},
	)
	per := jsonschema.NewProperties()
	per.Set("per", &schema{Enum: []any{"month", "week", "day"}})
	b.If = with("resume", "window")
	b.Then = &schema{Required: []string{"per"}, Properties: per}
	return b
}
