package api

import (
	"encoding/json"
	"strconv"
	"time"
)

// ApplicationStatus is the state of an application. The digits mean other
// things than those of JobStatus.
type ApplicationStatus int

// The states of an application. AnyStatus asks a list for all of them.
const (
	AnyStatus    ApplicationStatus = 0
	Declined     ApplicationStatus = 1
	Reported     ApplicationStatus = 2
	Approved     ApplicationStatus = 3
	Pending      ApplicationStatus = 4
	NotCompleted ApplicationStatus = 5
)

// String is "declined", "reported", "approved", "pending", "not completed",
// "any", or "status N".
func (s ApplicationStatus) String() string {
	names := [...]string{"any", "declined", "reported", "approved", "pending", "not completed"}
	if s >= 0 && int(s) < len(names) {
		return names[s]
	}
	return "status " + strconv.Itoa(int(s))
}

// Application is one worker's work on a job. Email and Proof are personal data.
type Application struct {
	ID    int64
	JobID int64
	// UserID is the worker.
	UserID  int64
	OwnerID int64
	Email   string
	// Proof is what the worker wrote.
	Proof  string
	Status ApplicationStatus
	// Reason is what the worker was told (showcause).
	Reason string
	// Screenshots are file names; ScreenshotURLs where they are shown.
	Screenshots []string
	// AppliedAt is appdate.
	AppliedAt time.Time
	// AffectSuccessRate comes with a single application only.
	AffectSuccessRate bool
	ScreenshotURLs    []string
	// Raw is the answer in the API's own names and true types; nil in a value
	// made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

func (a *Application) fields() []field {
	return []field{
		{"id", (*whole)(&a.ID), required},
		{"jobid", (*whole)(&a.JobID), required},
		{"user_id", (*whole)(&a.UserID), optional},
		{"owner_id", (*whole)(&a.OwnerID), optional},
		{"email", (*text)(&a.Email), optional},
		{"proof", (*text)(&a.Proof), optional},
		{"status", (*count)(&a.Status), required},
		{"showcause", (*text)(&a.Reason), optional},
		{"screenshot", (*texts)(&a.Screenshots), optional},
		{"appdate", (*unixTime)(&a.AppliedAt), optional},
		{"affect_success_rate", (*flag)(&a.AffectSuccessRate), optional},
		{"screenshot_url", (*texts)(&a.ScreenshotURLs), optional},
	}
}

func (a *Application) keep(raw json.RawMessage) { a.Raw = raw }

// MarshalJSON writes the API's own field names with true types.
func (a Application) MarshalJSON() ([]byte, error) { return writeRecord(a.Raw, a.fields()) }

// UnmarshalJSON reads what MarshalJSON writes, and whatever the API may answer.
func (a *Application) UnmarshalJSON(b []byte) error {
	*a = Application{}
	return unmarshalRecord(b, a)
}
