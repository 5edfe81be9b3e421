package sandbox

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Effect is one thing that really happened, whatever was answered.
type Effect struct {
	// Request is the number of the request that did it; 0: a person on the
	// website, a worker, or a schedule.
	Request uint64 `json:"request"`
	// At is in market time.
	At time.Time `json:"at"`
	// Kind is create, add_seats, resume, pause, restart, update or rate; filled
	// when the last seat was taken; edit, finish or delete on the website;
	// team_create, team_update, team_delete, member_add or member_delete.
	Kind          string    `json:"kind"`
	JobID         int64     `json:"job_id,omitempty"`
	ApplicationID int64     `json:"application_id,omitempty"`
	TeamID        int64     `json:"team_id,omitempty"`
	UserID        int64     `json:"user_id,omitempty"`
	Status        AppStatus `json:"status,omitempty"`
	// Repeated marks a rating that the application had already.
	Repeated bool `json:"repeated,omitempty"`
	// Seats were bought, or if negative taken back.
	Seats    int64     `json:"seats,omitempty"`
	Charged  money.USD `json:"charged"`
	Refunded money.USD `json:"refunded"`
}

// Books are the marketplace's own and the truth. At every moment
// Charged - Refunded = Start + Deposited - Balance.
type Books struct {
	Start     money.USD `json:"start"`
	Deposited money.USD `json:"deposited"`
	Charged   money.USD `json:"charged"`
	Refunded  money.USD `json:"refunded"`
	Balance   money.USD `json:"balance"`
	// Creates counts the jobs by the last step each was created with.
	Creates map[string]int `json:"creates"`
	// Jobs are in order of id, deleted ones included.
	Jobs []JobBooks `json:"jobs"`
	// Other are the effects that belong to no job.
	Other []Effect `json:"other"`
}

// JobBooks are the books of one job.
type JobBooks struct {
	JobID int64 `json:"job_id"`
	// Marker is the last step that the job was created with.
	Marker string `json:"marker"`
	// Title is the present one, as Status and Filled are.
	Title  string    `json:"title"`
	Status JobStatus `json:"status"`
	Filled int64     `json:"filled"`
	// Bought counts all seats ever bought, Returned those refunded.
	Bought   int64     `json:"bought"`
	Returned int64     `json:"returned"`
	Charged  money.USD `json:"charged"`
	Refunded money.USD `json:"refunded"`
	Effects  []Effect  `json:"effects"`
}

// Count is how many effects of a kind the job has.
func (b JobBooks) Count(kind string) int {
	n := 0
	for _, e := range b.Effects {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// books are kept as one list in order of time, with running sums.
type books struct {
	start, deposited, charged, refunded money.USD
	effects                             []Effect
	creates                             map[string]int
	// told are the jobs as they were created or deleted, by order of id.
	told []*job
}

func (b *books) add(e Effect) {
	b.charged += e.Charged
	b.refunded += e.Refunded
	b.effects = append(b.effects, e)
}

func (b *books) created(j *job, e Effect) {
	b.creates[j.marker]++
	b.told = append(b.told, j)
	b.add(e)
}
