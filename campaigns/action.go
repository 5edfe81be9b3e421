package campaigns

import "time"

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

// GapPolicy is what happens to a local time that clocks leap over.
type GapPolicy string

// The gap policies: run at the first instant after the gap, or not at all.
const (
	GapShift GapPolicy = "shift"
	GapSkip  GapPolicy = "skip"
)

// OverlapTime is which of two instants is meant by a local time that comes
// twice because clocks go back.
type OverlapTime string

// The first and the last of the two.
const (
	FirstTime OverlapTime = "first"
	LastTime  OverlapTime = "last"
)

// DST is what becomes of local times on the days when clocks change.
type DST struct {
	// Gap defaults to shift.
	Gap GapPolicy `json:"gap"`
	// Overlap defaults to first.
	Overlap OverlapTime `json:"overlap"`
}

// JobChoice is which of a campaign's jobs an action acts on.
type JobChoice string

// The choices of jobs: the newest of each item, those online, or every one.
const (
	JobsOnline JobChoice = "online"
	JobsLatest JobChoice = "latest"
	JobsAll    JobChoice = "all"
)

// After names the action that another one follows: it is made once all
// operations of an occurrence of that one are settled, in the same slot.
type After struct {
	// Campaign is the followed action's; it is of the same file.
	Campaign string `json:"campaign"`
	// Action is its id.
	Action string `json:"action"`
}

// Action is what to do, and when.
type Action struct {
	// ID tells the action from others of the campaign. Default: the verb.
	ID string `json:"id"`
	Do Verb   `json:"do"`

	// Exactly one of Cron, Every, At, Now, On and After is set.
	Cron string `json:"cron,omitempty"`
	// Every is at least a second; its slots are multiples since the Unix epoch.
	Every Duration `json:"every,omitempty"`
	// At is one instant.
	At  *time.Time `json:"at,omitempty"`
	Now bool       `json:"now,omitempty"`
	On  Event      `json:"on,omitempty"`
	// After is the action that this one follows.
	After *After `json:"after,omitempty"`

	// Timezone is where Cron is read, inherited from the campaign.
	Timezone string `json:"timezone"`
	// From and Until bound the slots, both inclusive; nil means unbounded. A
	// date without a time stands for its first (From) or last (Until) instant.
	From  *time.Time `json:"from,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// Except holds the days, in Timezone, on which no slot lies. A slot that
	// falls on one is dropped, not moved.
	Except []DateRange `json:"except,omitempty"`
	// DST says what becomes of Cron's times when clocks change. It is set only
	// with Cron.
	DST DST `json:"dst,omitzero"`
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
	// Hold is how long a decline waits, once it is decided, before it goes out.
	// Default 0: at once.
	Hold Duration `json:"hold,omitempty"`
	// AuditSample is the share of approvals, in percent, that is left to a
	// person. Default 0.
	AuditSample int `json:"audit_sample,omitempty"`
	// ReviewWithin is how long an application may wait for its verdict before a
	// person is told. Default 0: nobody is.
	ReviewWithin Duration `json:"review_within,omitempty"`
}

// Waits tells whether the action has no times of its own: it waits for an event
// or for another action.
func (a *Action) Waits() bool { return a.On != "" || a.After != nil }
