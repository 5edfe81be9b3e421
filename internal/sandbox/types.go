package sandbox

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// JobStatus is a job's state by the marketplace's numbers.
type JobStatus int

// The states of a job. The reference names only 1 and 3.
const (
	JobWaiting  JobStatus = 0
	JobOnline   JobStatus = 1
	JobFinished JobStatus = 3
)

// AppStatus is an application's state by the marketplace's numbers, which
// mean other things than a job's.
type AppStatus int

// The states of an application.
const (
	AppDeclined     AppStatus = 1
	AppReported     AppStatus = 2
	AppApproved     AppStatus = 3
	AppPending      AppStatus = 4
	AppNotCompleted AppStatus = 5
)

// Job is a job as the marketplace keeps it.
type Job struct {
	// ID is given by the marketplace.
	ID    int64  `json:"job_id"`
	Title string `json:"title"`
	// Price is what a seat pays the worker.
	Price    money.USD `json:"price"`
	Category int64     `json:"category"`
	// Country is "INT", "0" for a team, or a JSON array of ids in a string.
	Country  string   `json:"country"`
	Expected []string `json:"expected"`
	Proof    []Proof  `json:"proof"`
	Minutes  int64    `json:"time"`
	// Seats are those bought and not refunded; Taken of them are filled.
	Seats int64 `json:"seats"`
	Taken int64 `json:"taken"`
	// Applied counts all applications, also those whose seat was freed.
	Applied   int64     `json:"total_app"`
	Status    JobStatus `json:"status"`
	Tweet     bool      `json:"send_tweet"`
	Hidden    bool      `json:"hide_search_engines"`
	Automated bool      `json:"automated"`
	// TeamID is the team whose members alone may apply; 0: anyone.
	TeamID int64 `json:"team_id"`
	Limit  Limit `json:"limit"`
	// RestartEvery lets the same workers in again; 0: never.
	RestartEvery time.Duration `json:"restart_every_ns"`
	// DecReason and RepReason are a moderator's words.
	DecReason string `json:"dec_reason"`
	RepReason string `json:"rep_reason"`
	Slug      string `json:"slug"`
	// Started is when it last went online or was restarted; zero: not yet.
	Started time.Time `json:"started"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

// Proof is one thing that a worker must hand in.
type Proof struct {
	Desc string `json:"desc"`
	// Type is "text", "image", or a word for automated jobs.
	Type string `json:"type"`
}

// Limit is how many seats may be filled in a period. The zero value is no limit.
type Limit struct {
	Count  int64         `json:"count"`
	Period time.Duration `json:"period_ns"`
}

// Handed is what a worker hands in.
type Handed struct {
	Text string `json:"text"`
	// Screenshots are file names.
	Screenshots []string `json:"screenshots"`
}

// Application is one worker's work on a job.
type Application struct {
	ID     int64
	JobID  int64
	UserID int64
	Status AppStatus
	// Reason is why it was declined or not complete.
	Reason string
	At     time.Time
	// Try counts from 0 how often the worker handed in again.
	Try int
	// Round counts the job's restarts before it.
	Round int
	// Given is what was handed in; the marketplace itself keeps nil where it
	// is derived from the seed.
	Given *Handed
}
