package journal

import "github.com/campaign-runner/campaign-runner/internal/planner"

// keyspace names every key. Its hash tag puts all of them in one slot of a
// Redis Cluster, which scripts over several keys need.
type keyspace string

// defaultPrefix is the prefix of all keys of the journal.
const defaultPrefix keyspace = "cr:{main}:"

func (k keyspace) op(id string) string         { return string(k) + "op:" + id }
func (k keyspace) ops(campaign string) string  { return string(k) + "ops:" + campaign }
func (k keyspace) open(s planner.State) string { return string(k) + "open:" + string(s) }
func (k keyspace) counts() string              { return string(k) + "count" }
func (k keyspace) count(campaign string) string {
	return string(k) + "count:" + campaign
}
func (k keyspace) live(campaign string) string     { return string(k) + "live:" + campaign }
func (k keyspace) campaign(name string) string     { return string(k) + "campaign:" + name }
func (k keyspace) campaigns() string               { return string(k) + "campaigns" }
func (k keyspace) source(name string) string       { return string(k) + "source:" + name }
func (k keyspace) job(id string) string            { return string(k) + "job:" + id }
func (k keyspace) jobs() string                    { return string(k) + "jobs" }
func (k keyspace) campaignJobs(name string) string { return string(k) + "jobs:" + name }
func (k keyspace) budget(scope string) string      { return string(k) + "budget:" + scope }
func (k keyspace) window(scope, window string) string {
	return string(k) + "budget:" + scope + ":" + window
}
func (k keyspace) latched() string   { return string(k) + "latched" }
func (k keyspace) account() string   { return string(k) + "account" }
func (k keyspace) ledger() string    { return string(k) + "ledger" }
func (k keyspace) rehomed() string   { return string(k) + "rehomed" }
func (k keyspace) schedule() string  { return string(k) + "schedule" }
func (k keyspace) watermark() string { return string(k) + "watermark" }
func (k keyspace) trigger() string   { return string(k) + "trigger" }
func (k keyspace) over() string      { return string(k) + "over" }
func (k keyspace) backfill(campaign, action string) string {
	return string(k) + "backfill:" + campaign + "/" + action
}
func (k keyspace) answers(job int64) string {
	return string(k) + "answers:" + jobText(job)
}
func (k keyspace) oldest() string  { return string(k) + "oldest" }
func (k keyspace) reviews() string { return string(k) + "reviews" }
func (k keyspace) missed() string  { return string(k) + "missed" }
func (k keyspace) stop() string    { return string(k) + "stop" }
func (k keyspace) lease() string   { return string(k) + "lease" }
func (k keyspace) alerts() string  { return string(k) + "alerts" }
func (k keyspace) owners() string  { return string(k) + "owners" }
func (k keyspace) quotes() string  { return string(k) + "quotes" }
func (k keyspace) seqs() string    { return string(k) + "seqs" }
func (k keyspace) events() string  { return string(k) + "events" }
func (k keyspace) hints() string   { return string(k) + "hints" }
func (k keyspace) settled() string { return string(k) + "settled" }
func (k keyspace) followers(campaign, action string) string {
	return string(k) + "followers:" + campaign + "/" + action
}
func (k keyspace) chained(campaign, action string) string {
	return string(k) + "chained:" + campaign + "/" + action
}
