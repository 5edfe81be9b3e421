package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Retry puts an operation back in line that was rejected, skipped or canceled,
// or parked before it was ever sent. Others are refused with ErrConflict.
func (j *Journal) Retry(ctx context.Context, now time.Time, id, note string) error {
	event := Event{At: now.UnixMilli(), State: planner.Queued, Note: note}
	out, err := j.run(ctx, "retry", id, millis(now), event.text())
	if err != nil {
		return err
	}
	switch out[0] {
	case "gone":
		return fmt.Errorf("operation %q: %w", id, ErrNotFound)
	case "state":
		return &ErrConflict{ID: id, State: planner.State(out[1])}
	}
	return nil
}

// Recovered is a create that was found in the marketplace by its marker.
type Recovered struct {
	Op planner.Operation
	// Job is the job that it made, as it is now.
	Job Job
	// Cost is what the job's seats cost, in USD, and Back what of it may have come
	// back already: the balance tells how much.
	Cost, Back money.USD
	// At is when the job was made.
	At time.Time
	// Limits are the budgets of the campaign at that time.
	Limits []Limit
	// Compared are the numbers, by holder, up to which the journal was compared
	// with send logs before: they know the cost better than the marker does.
	Compared map[string]int64
}

// ErrLostAgain is returned where the journal lost what a recovery wrote.
var ErrLostAgain = errors.New("Redis lost writes again while it was recovered: run it again") //nolint:staticcheck // Redis is a name

// Recover writes a lost create anew as applied, and its job. It returns false,
// and changes nothing, where the operation or the job is known.
func (j *Journal) Recover(ctx context.Context, now time.Time, r Recovered) (bool, error) {
	doc, err := json.Marshal(r.Op)
	if err != nil {
		return false, err
	}
	event := Event{
		At: now.UnixMilli(), State: planner.Applied, Attempt: 1, Amount: &r.Cost,
		Note: fmt.Sprintf("recovered from job %d by its marker", r.Job.ID),
	}
	args := []any{
		millis(now), r.Op.ID, doc, r.Op.Action, string(r.Op.Queue()), event.text(),
		jobText(r.Job.ID), r.Job.Item, millis(r.Job.Slot), r.Job.Seats, micros(r.Job.Price),
		string(r.Job.Status), r.Job.Applications, r.Job.Title, micros(r.Cost), millis(r.At), micros(r.Back), len(r.Limits),
	}
	for _, l := range r.Limits {
		args = append(args, l.Scope, l.Window)
	}
	for holder, seq := range r.Compared {
		args = append(args, holder, seq)
	}
	out, err := j.run(ctx, "recover", args...)
	if err != nil {
		return false, err
	}
	if out[0] == "lost" {
		return false, ErrLostAgain
	}
	return out[1] == "1", nil
}

// SetWatermark moves a registered action's watermark, so that an occurrence
// that was found again keeps its slot.
func (j *Journal) SetWatermark(ctx context.Context, e Entry) error {
	if err := j.rdb.HSet(ctx, j.keys.watermark(), e.Campaign+"/"+e.Action, millis(e.Watermark)).Err(); err != nil {
		return fmt.Errorf("journal: watermark: %w", err)
	}
	return nil
}

// RegisterPaused registers a campaign that is not registered and holds it from
// the first moment, so that nothing of it runs before a person, or a recovery,
// lets it.
func (j *Journal) RegisterPaused(ctx context.Context, now time.Time, c *campaigns.Campaign, reason string) error {
	held := []any{"state", string(Paused), "reason", reason, "since", millis(now)}
	if err := j.rdb.HSet(ctx, j.keys.campaign(c.Name), held...).Err(); err != nil {
		return fmt.Errorf("journal: campaign %s: %w", c.Name, err)
	}
	return j.Register(ctx, now, c)
}
