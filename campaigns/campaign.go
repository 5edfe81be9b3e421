package campaigns

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// File is one spec file, checked and complete: defaults are merged, time zones
// are filled in, items are read and every template has been tried on every item.
type File struct {
	// Source tells this file's campaigns from those of other files when a
	// later version of it is applied: the `name` key, or else the file's base name.
	Source string `json:"source"`
	// Timezone is the file's IANA zone. Default "UTC".
	Timezone string `json:"timezone"`
	// Budget spans all campaigns of the file; nil means no common cap.
	Budget *Budget `json:"budget,omitempty"`
	// MinBalance is what must stay in the account, in USD. Default 0.
	MinBalance money.USD  `json:"min_balance"`
	Teams      []Team     `json:"teams,omitempty"`
	Campaigns  []Campaign `json:"campaigns"`
	// Warnings are faults that do not stop the file, in order of position.
	Warnings []Issue `json:"-"`
}

// Campaign is one entry of a spec, self-contained: the registry keeps it as
// JSON and the runner needs nothing else to act on it.
type Campaign struct {
	// Name is [a-z0-9-]{1,63} and unique in the account.
	Name string `json:"name"`
	// Source is the File.Source it came from.
	Source string `json:"source"`
	// Timezone is the campaign's IANA zone, inherited from the file.
	Timezone string `json:"timezone"`
	// Items become one job each. A campaign that creates jobs has at least
	// one; without an `items` key it is a single Item with Key "-".
	Items []Item `json:"items,omitempty"`
	// Job is what to create; nil in a campaign that only adopts.
	Job *Job `json:"job,omitempty"`
	// Adopt lists the ids of jobs made by hand that the campaign takes over.
	Adopt []int64 `json:"adopt,omitempty"`
	// Budget caps the campaign; nil means no cap of its own.
	Budget *Budget `json:"budget,omitempty"`
	// FileBudget is the budget of the file, which spans its campaigns.
	FileBudget *Budget `json:"file_budget,omitempty"`
	// MinBalance is the file's MinBalance.
	MinBalance money.USD `json:"min_balance"`
	// Actions is never empty: without an `actions` key it is one create, now.
	Actions []Action `json:"actions"`
}

// Item is what one job is made from.
type Item struct {
	// Key is what makes the item itself: the text of the `key` column, the
	// joined values of a matrix, or a digest of the fields where no key is
	// given. It is unique in the campaign.
	Key string `json:"key"`
	// Fields are what templates see as {{ .name }}.
	Fields map[string]string `json:"fields,omitempty"`
}

// Team is a list of workers that the runner makes and keeps in step.
type Team struct {
	Name    string       `json:"name"`
	Members []TeamMember `json:"members,omitempty"`
}

// TeamMember is one worker of a team.
type TeamMember struct {
	User int64  `json:"user"`
	Note string `json:"note"`
}

// Job is the template of a campaign's jobs. Strings may hold Go templates over
// the item's fields.
type Job struct {
	Title string `json:"title"`
	// Category is an id, a slug or a title of the marketplace.
	Category string `json:"category"`
	// Price is what one seat pays the worker, in USD.
	Price money.USD `json:"price"`
	// Seats is how many workers may do the job; at least 1.
	Seats int `json:"seats"`
	// Countries holds INT alone, or codes, ids or names. Empty with a Team.
	Countries []string `json:"countries,omitempty"`
	// Team limits the job to the workers of this team, by name.
	Team string `json:"team,omitempty"`
	// Minutes is the estimated time for one seat; at least 1.
	Minutes int      `json:"minutes"`
	Steps   []string `json:"steps"`
	Proof   []Proof  `json:"proof"`
	// Limit paces the seats; nil means no limit.
	Limit     *Limit `json:"limit,omitempty"`
	Automated bool   `json:"automated,omitempty"`
	Tweet     bool   `json:"tweet,omitempty"`
	Hidden    bool   `json:"hidden,omitempty"`
	// RestartEvery lets the same workers in again after this long. It is
	// between a minute and 360 days; 0 disables.
	RestartEvery Duration `json:"restart_every,omitempty"`
}

// Proof is one thing that a worker must hand in.
type Proof struct {
	// Type is "text" or "image", or in automated jobs a word of the marketplace.
	Type string `json:"type"`
	Text string `json:"desc"`
}

// Limit is how many seats may be done in a period.
type Limit struct {
	Count int `json:"count"`
	// Per is "hour" or "day".
	Per string `json:"per"`
}

// Update is what an update action changes. Nil and empty fields stay as they are.
type Update struct {
	Title        *string   `json:"title,omitempty"`
	Minutes      *int      `json:"minutes,omitempty"`
	Steps        []string  `json:"steps,omitempty"`
	Proof        []Proof   `json:"proof,omitempty"`
	Limit        *Limit    `json:"limit,omitempty"`
	RestartEvery *Duration `json:"restart_every,omitempty"`
}

// Budget is a cap on what may be committed within a window.
type Budget struct {
	// Cap is the most that is ever committed in one window, in USD.
	Cap money.USD `json:"cap"`
	// PauseAt is the amount at which jobs are paused, in USD; 0 means never.
	// A percentage of the spec has been turned into an amount.
	PauseAt money.USD `json:"pause_at,omitempty"`
	// Per is the window: total (default), month, week (from Monday) or day.
	Per Window `json:"per"`
	// Measure is what PauseAt compares with: committed (default) or consumed.
	Measure Measure `json:"measure"`
	// Resume is what opens the latch again: manual (default) or window.
	Resume ResumePolicy `json:"resume"`
	// Timezone is where its windows begin and end.
	Timezone string `json:"timezone"`
}

// Window is the period of a budget.
type Window string

// The windows of a budget.
const (
	PerTotal Window = "total"
	PerMonth Window = "month"
	PerWeek  Window = "week"
	PerDay   Window = "day"
)

// Measure is what a budget's threshold compares with.
type Measure string

// The measures of a budget.
const (
	MeasureCommitted Measure = "committed"
	MeasureConsumed  Measure = "consumed"
)

// ResumePolicy is what opens a budget's latch again.
type ResumePolicy string

// The resume policies of a budget.
const (
	ResumeManual ResumePolicy = "manual"
	ResumeWindow ResumePolicy = "window"
)

// Verb is what an action does.
type Verb string

// The verbs of actions.
const (
	DoCreate   Verb = "create"
	DoAddSeats Verb = "add_seats"
	DoRestart  Verb = "restart"
	DoPause    Verb = "pause"
	DoResume   Verb = "resume"
	DoUpdate   Verb = "update"
	DoRate     Verb = "rate"
)

// Paying tells whether the verb buys seats.
func (v Verb) Paying() bool {
	return v == DoCreate || v == DoAddSeats || v == DoResume
}

// Event is what an action waits for instead of a time.
type Event string

// The events that the marketplace tells of.
const (
	OnJobFinished    Event = "job-finished"
	OnNewApplication Event = "new-application"
)

// CatchUp is what happens to slots that passed while nothing ran.
type CatchUp string

// The catch-up policies.
const (
	CatchUpLast CatchUp = "last"
	CatchUpNone CatchUp = "none"
	CatchUpAll  CatchUp = "all"
)

// Overlap is what happens to a slot while the last one is not settled.
type Overlap string

// The overlap policies.
const (
	OverlapSkip  Overlap = "skip"
	OverlapAllow Overlap = "allow"
)

// JobChoice is which of a campaign's jobs an action acts on.
type JobChoice string

// The choices of jobs: the newest of each item, those online, or every one.
const (
	JobsOnline JobChoice = "online"
	JobsLatest JobChoice = "latest"
	JobsAll    JobChoice = "all"
)

// Action is what to do, and when.
type Action struct {
	// ID tells the action from others of the campaign. Default: the verb.
	ID string `json:"id"`
	Do Verb   `json:"do"`

	// Exactly one of Cron, Every, At, Now and On is set.
	Cron string `json:"cron,omitempty"`
	// Every is at least a second; its slots are multiples since the Unix epoch.
	Every Duration `json:"every,omitempty"`
	// At is one instant.
	At  *time.Time `json:"at,omitempty"`
	Now bool       `json:"now,omitempty"`
	On  Event      `json:"on,omitempty"`

	// Timezone is where Cron is read, inherited from the campaign.
	Timezone string `json:"timezone"`
	// From and Until bound the slots, both inclusive; nil means unbounded. A
	// date without a time stands for its first (From) or last (Until) instant.
	From  *time.Time `json:"from,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// Jitter delays each slot by up to this long, by an amount derived from
	// the slot. The slot itself does not move. Default 0.
	Jitter Duration `json:"jitter,omitempty"`
	// CatchUp defaults to last, CatchUpWindow to 24h.
	CatchUp       CatchUp  `json:"catch_up"`
	CatchUpWindow Duration `json:"catch_up_window"`
	// Overlap defaults to skip.
	Overlap Overlap `json:"overlap"`

	// Jobs defaults to online; for resume to latest.
	Jobs JobChoice `json:"jobs,omitempty"`
	// Seats is how many seats add_seats and resume buy; UpTo is a target for
	// add_seats of which only the gap is bought. One of them is set.
	Seats int `json:"seats,omitempty"`
	UpTo  int `json:"up_to,omitempty"`
	// Set is what update changes.
	Set *Update `json:"set,omitempty"`
	// Rules decide ratings; the first that fits wins.
	Rules []Rule `json:"rules,omitempty"`
	// MaxDecline is the share of a run, in percent, past which declines are
	// held for a person. Default 100.
	MaxDecline int `json:"max_decline,omitempty"`
}

// Verdict is what a rule says of an application.
type Verdict string

// The verdicts.
const (
	Approve Verdict = "approve"
	Decline Verdict = "decline"
	Redo    Verdict = "redo"
	Leave   Verdict = "leave"
)

// Rule is one line of a rating: a condition and what follows.
type Rule struct {
	// When is an expression over the application that yields a boolean.
	When    string  `json:"when"`
	Verdict Verdict `json:"verdict"`
	// Reason is told to the worker; required for decline and redo.
	Reason string `json:"reason,omitempty"`
}
