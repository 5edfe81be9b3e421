package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// createChunk is how many operations one script writes.
const createChunk = 200

// New is an operation to be written. State is Queued, or Skipped with the
// reason in Error.
type New struct {
	planner.Operation
	State planner.State
	Error string
	// Due is when a queued operation may be carried out; zero means at once.
	Due time.Time
}

// Queue makes operations that are to be carried out.
func Queue(ops []planner.Operation) []New {
	out := make([]New, len(ops))
	for i, op := range ops {
		out[i] = New{Operation: op, State: planner.Queued}
	}
	return out
}

// Occurrence is what moves together with the operations of a slot.
type Occurrence struct {
	Campaign, Action string
	// Fence is the scheduler's token; "" where no lease is needed.
	Fence string
	// Expected is the watermark that the occurrence was planned from, and
	// Watermark the one that it leaves.
	Expected, Watermark time.Time
	// Next is when the action is due next; the zero time means never.
	Next time.Time
	// Missed is how many slots were left out.
	Missed int
	// Review is the slot of a rating run to carry out; the zero time means none.
	Review time.Time
	// Digest is that of the spec it was planned by: where another holds by then,
	// or the campaign is not active, nothing is written. "" asks for neither.
	Digest string
	// Backfill is a slot of a backfill, which moves no watermark; Next is then
	// when the action's backfill goes on. The zero time means none.
	Backfill time.Time
}

// Create writes operations that do not exist yet and returns the ids of those
// it wrote. With an occurrence the action's watermark moves in the same script
// as the last of them: a crash before it plans the same identities again. It
// returns ErrFenced or ErrMoved where someone else is at work on the action.
func (j *Journal) Create(ctx context.Context, now time.Time, occ *Occurrence, ops []New) ([]string, error) {
	var created []string
	chunks := slices.Collect(slices.Chunk(ops, createChunk))
	if len(chunks) == 0 {
		chunks = [][]New{nil}
	}
	for i, chunk := range chunks {
		ids, err := j.createChunk(ctx, now, occ, chunk, i == len(chunks)-1)
		if err != nil {
			return created, err
		}
		created = append(created, ids...)
	}
	return created, nil
}

func (j *Journal) createChunk(ctx context.Context, now time.Time, occ *Occurrence, ops []New, last bool) ([]string, error) {
	args := []any{millis(now), "", "", "", "", "", 0, "", "", "", len(ops)}
	if occ != nil {
		args[1], args[2], args[3] = occ.Fence, occ.Campaign+"/"+occ.Action, millis(occ.Expected)
		args[8], args[9] = occ.Digest, millis(occ.Backfill)
		if last {
			args[4], args[5], args[6] = millis(occ.Watermark), millis(occ.Next), occ.Missed
			args[7] = millis(occ.Review)
		}
	}
	for _, op := range ops {
		row, err := createArgs(now, op)
		if err != nil {
			return nil, err
		}
		args = append(args, row...)
	}
	out, err := j.run(ctx, "create", args...)
	if err != nil {
		return nil, err
	}
	switch out[0] {
	case "fenced":
		return nil, ErrFenced
	case "moved":
		return nil, ErrMoved
	case "gone":
		return nil, fmt.Errorf("action %s/%s: %w", occ.Campaign, occ.Action, ErrNotFound)
	}
	return out[1:], nil
}

func createArgs(now time.Time, op New) ([]any, error) {
	doc, err := json.Marshal(op.Operation)
	if err != nil {
		return nil, err
	}
	job := ""
	if op.JobID != 0 {
		job = strconv.FormatInt(op.JobID, 10)
	}
	due := op.Due
	if due.IsZero() {
		due = now
	}
	event := Event{At: now.UnixMilli(), State: op.State, Note: op.Error}
	return []any{op.ID, doc, op.Action, string(op.Queue()), string(op.State), op.Error, event.text(), job, millis(due)}, nil
}
