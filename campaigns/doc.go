// Package campaigns is the spec language: what people write to say which jobs
// they want on the marketplace, when to act on them, and what they may cost.
//
// It is the first of the rooms that a spec walks through. In goes the text of
// a YAML file; out comes a [File] of campaigns that are checked, complete and
// self-contained. The package is pure but for reading files: it knows no
// clock, no network and no state.
//
// # Reading
//
// [Load] reads a file and the rows files beside it, [Parse] a text. Both
// report every fault of the file in one pass, as [Errors], each with its line
// and column; a misspelt key or word comes with the one that was meant. What is
// odd but harmless is in File.Warnings.
//
// A file is one YAML document of at most 64 MiB, 100 levels deep, no value
// longer than 64 KiB. Unknown and duplicate keys are faults, and so is a key
// without a value. Anchors, aliases and merges (<<) work as far as they stand
// for no more than a million values. Numbers are read by their own digits:
// 0.05 is exact, quoted or not, and 1e3, 010, 1_000 and .nan are faults.
// Booleans are true and false alone.
//
// # Files
//
// A file has these keys; campaigns alone is required.
//
//	version      1, the default
//	name         tells its campaigns from those of other files; default the file's name
//	timezone     IANA; default UTC. Campaigns, budgets and actions may have their own
//	budget       over all campaigns of the file
//	min_balance  USD that must stay in the account; default 0
//	defaults     job: merged into every job
//	teams        name, and members of user and note
//	campaigns    name, timezone, items, job, adopt, budget, actions
//
// A campaign has a job to create, jobs to adopt, or both.
//
// # Items
//
// One job is made from each item. Items come as a list of mappings or plain
// values, as the product of a matrix, or as the rows of a file:
//
//	items: [Pune, Agra]                                   # the field is item
//	items: {list: [{city: Pune, url: …}], key: city}
//	items: {matrix: {city: [Pune, Agra], lang: [en, hi]}, exclude: [{city: Agra, lang: hi}]}
//	items: {rows: cities.csv, key: city}
//
// The key makes an item itself: a row that is added, moved or taken away
// leaves the jobs of the others alone. Without one, a plain value of up to 64
// characters is its own key, a combination of a matrix is known by its values
// joined with "-", and anything else by a digest of its fields. All fields are
// texts, as written. Rows files are CSV with a header, or JSONL; they lie in
// the directory of the spec or below, and no link may lead out of it. A file
// has at most a million items, a matrix 100,000.
//
// # Templates
//
// The texts of a job and of an update's set may hold templates over the item's
// fields: {{ .city }}, {{ if .note }}…{{ end }} and the functions lower, upper,
// trim and default (as in {{ default "none" .note }}). Each is tried on every
// item when the file is loaded. [Campaign.Render] makes the job of an item.
//
// # Budgets
//
// A budget has a cap and may have a threshold, pause_at, which is an amount or
// a share of the cap. Its windows are those of per: total, month, week (ISO
// weeks, from Monday) or day, in its time zone. See [Budget.WindowAt].
//
// # Actions and their times
//
// An action has a verb, do, and one of five times:
//
//	cron: "0 9 * * MON"   five fields, or @hourly, @daily, @weekly, @monthly, @yearly
//	every: 6h             whole seconds, counted from the Unix epoch
//	at: 2026-12-01T09:00  local, or with an offset
//	now: true             once, when the spec is applied
//	on: job-finished      or new-application
//
// The first three have slots, which [Schedule.Next] gives. From and until bound
// them, both included, and take dates as well as times; except leaves out whole
// days, as 2026-12-25 or 2026-12-24..2026-12-31. A schedule without any slot is
// a fault.
//
// Cron is read on the wall clock of the action's zone. A time that clocks leap
// over runs at the first instant after the gap, and one that comes twice runs
// once, at the first; dst: {gap: skip, overlap: last} has it otherwise. An
// every is a number of seconds and does not care.
//
// # Ratings
//
// A rate action has rules, the first of which that fits decides:
//
//   - {when: 'trim(proof) == ""', verdict: redo, reason: "Please type the signs."}
//   - {when: 'screenshots >= 1 && age > duration("1h")', verdict: approve}
//
// A condition sees proof, screenshots, age, worker, duplicates,
// worker_approved, worker_declined, agreement, and the item's fields as
// item.city. Verdicts are approve, decline, redo and leave.
//
// # Storing
//
// A [Campaign] is kept as JSON, which loses nothing; [Campaign.Digest] tells
// whether one has changed. [Schema] is the JSON Schema of the YAML form.
package campaigns
