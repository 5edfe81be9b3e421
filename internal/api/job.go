package api

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// JobStatus is the state of a job. The marketplace tells two of them; others
// exist, such as a job that waits for approval, and are kept as they come. The
// digits mean other things than those of ApplicationStatus.
type JobStatus int

// The states of a job that the reference tells.
const (
	JobOnline   JobStatus = 1
	JobFinished JobStatus = 3
)

// String is "online", "finished" or "status N".
func (s JobStatus) String() string {
	switch s {
	case JobOnline:
		return "online"
	case JobFinished:
		return "finished"
	default:
		return "status " + strconv.Itoa(int(s))
	}
}

// Job is a job as the marketplace keeps it. Type and Slug come with a single
// job only, URL and HideSearchEngines with lists only.
type Job struct {
	ID    int64
	Title string
	// Applications is how many applications the job has had (total_app).
	Applications int
	// Seats is availseats. Whether it counts the seats bought or those left is
	// not documented.
	Seats int
	// Minutes is the estimated time for one seat (time).
	Minutes  int
	Category int64
	// Price is what one seat pays the worker, in USD.
	Price money.USD
	// Country is "INT", "0" for a team's job, or country ids joined by commas.
	Country string
	// Steps is expected.
	Steps []string
	Proof []Proof
	Image string
	// Started is zero for a job that has not.
	Started   time.Time
	Status    JobStatus
	Type      int
	SendTweet bool
	HourSeats int
	HourLock  int
	// LimitSeconds is limitfreqseconds.
	LimitSeconds int
	// DeclineReason and ReportReason are the marketplace's word on the job.
	DeclineReason     string
	ReportReason      string
	Slug              string
	CreatedAt         time.Time
	UpdatedAt         time.Time
	URL               string
	HideSearchEngines bool
	// Raw is the answer in the API's own names and true types; nil in a value
	// made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

// Proof is one thing that a worker must hand in.
type Proof struct {
	Desc string `json:"desc"`
	// Type is "text" or "image"; an automated job has its category's own word.
	Type string `json:"type"`
}

func (j *Job) fields() []field {
	return []field{
		{"id", (*whole)(&j.ID), required},
		{"title", (*text)(&j.Title), optional},
		{"total_app", (*count)(&j.Applications), required},
		{"availseats", (*count)(&j.Seats), required},
		{"time", (*count)(&j.Minutes), optional},
		{"category", (*whole)(&j.Category), optional},
		{"price", (*dollars)(&j.Price), required},
		{"country", (*audience)(&j.Country), optional},
		{"expected", (*texts)(&j.Steps), optional},
		{"proof", (*proofs)(&j.Proof), optional},
		{"image", (*text)(&j.Image), optional},
		{"started", (*unixTime)(&j.Started), optional},
		{"status", (*count)(&j.Status), required},
		{"type", (*count)(&j.Type), optional},
		{"send_tweet", (*flag)(&j.SendTweet), optional},
		{"hourseats", (*count)(&j.HourSeats), optional},
		{"hourlock", (*count)(&j.HourLock), optional},
		{"limitfreqseconds", (*count)(&j.LimitSeconds), optional},
		{"dec_reason", (*text)(&j.DeclineReason), optional},
		{"rep_reason", (*text)(&j.ReportReason), optional},
		{"slug", (*text)(&j.Slug), optional},
		{"created_at", (*isoTime)(&j.CreatedAt), optional},
		{"updated_at", (*isoTime)(&j.UpdatedAt), optional},
		{"url", (*text)(&j.URL), optional},
		{"hide_search_engines", (*flag)(&j.HideSearchEngines), optional},
	}
}

func (j *Job) keep(raw json.RawMessage) { j.Raw = raw }

// MarshalJSON writes the API's own field names with true types.
func (j Job) MarshalJSON() ([]byte, error) { return writeRecord(j.Raw, j.fields()) }

// UnmarshalJSON reads what MarshalJSON writes, and whatever the API may answer.
func (j *Job) UnmarshalJSON(b []byte) error {
	*j = Job{}
	return unmarshalRecord(b, j)
}
