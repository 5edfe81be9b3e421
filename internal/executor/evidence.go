package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// evidence is what was known when a call was begun, kept to decide a doubtful
// outcome by.
type evidence struct {
	// Seats is how many seats the call buys.
	Seats int `json:"seats,omitempty"`
	// Job is the job as it was before; nil for creates and ratings.
	Job *jobShot `json:"job,omitempty"`
	// Price and Category tell a new job that lost its marker.
	Price    money.USD `json:"price,omitempty"`
	Category int64     `json:"category,omitempty"`
	// Purse is the account right before a pause, to measure its refund by.
	Purse *purse `json:"purse,omitempty"`
}

// purse is the account's money, in USD, while nothing else moved it.
type purse struct {
	Balance  money.USD `json:"balance"`
	Charged  money.USD `json:"charged"`
	Refunded money.USD `json:"refunded"`
	// Guessed is how much more refunds that were estimated by then may have brought.
	Guessed money.USD `json:"guessed,omitzero"`
}

// jobShot is what a job's purchases, pauses and restarts change.
type jobShot struct {
	Status       api.JobStatus `json:"status"`
	Avail        int           `json:"avail"`
	Applications int           `json:"apps"`
	// Started is in Unix seconds.
	Started int64 `json:"started,omitempty"`
}

func shoot(job api.Job) *jobShot {
	return &jobShot{
		Status: job.Status, Avail: job.Seats, Applications: job.Applications,
		Started: unixOf(job.Started),
	}
}

func unixOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func readEvidence(op *journal.Op) (evidence, error) {
	var ev evidence
	if len(op.Evidence) == 0 {
		return ev, nil
	}
	if err := json.Unmarshal(op.Evidence, &ev); err != nil {
		return ev, fmt.Errorf("evidence: %w", err)
	}
	return ev, nil
}

// finding is what one read says of an operation in doubt.
type finding int

const (
	// undecided: both explanations fit.
	undecided finding = iota
	// done: the effect is there.
	done
	// notDone: the effect is not there, as far as this read can tell.
	notDone
	// conflicting: what is there excludes the operation for good.
	conflicting
)

// verdict is a finding with its reasons.
type verdict struct {
	finding
	eff effect
	// why is told to people.
	why string
	// shot is what was read; it is kept in the history.
	shot any
}

// kind is how one kind of operation is carried out.
type kind struct {
	// prepare reads what is needed and makes the call ready.
	prepare func(ctx context.Context, e *Executor, op *journal.Op, sp *journal.Spec) (*call, error)
	// verify reads what became of a call in doubt.
	verify func(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error)
	// reached tells after a refusal whether the goal is reached all the same;
	// nil where there is no such goal.
	reached func(ctx context.Context, e *Executor, op *journal.Op) (bool, effect, error)
	// repeatable kinds set a state: doing them twice does no harm, and one read
	// that does not find the effect is enough to send them again.
	repeatable bool
}

// kinds is the table of all operations. It is filled by kindTable, so that the
// functions in it may refer to it.
var kinds = kindTable()

func kindTable() map[planner.Kind]kind {
	return map[planner.Kind]kind{
		planner.Create:   {prepare: prepareCreate, verify: verifyCreate},
		planner.AddSeats: {prepare: prepareAddSeats, verify: verifyAddSeats},
		planner.Resume:   {prepare: prepareResume, verify: verifyResume},
		planner.Pause:    {prepare: preparePause, verify: verifyPause, reached: pausedAlready, repeatable: true},
		planner.Restart:  {prepare: prepareRestart, verify: verifyRestart, repeatable: true},
		planner.Update:   {prepare: prepareUpdate, verify: verifyUpdate, repeatable: true},
		planner.Rate:     {prepare: prepareRate, verify: verifyRate, reached: ratedAlready},
		planner.TeamSync: {prepare: prepareTeam, verify: verifyTeam, repeatable: true},
	}
}
