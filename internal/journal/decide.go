package journal

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Decide puts a person's ratings in the place of those that were held, left to
// a person or refused. It returns what became of each, in order: "ok" for one
// that is queued now, "new" where the journal holds no such operation, or else
// the state that leaves no choice any more.
func (j *Journal) Decide(ctx context.Context, now time.Time, ops []planner.Operation) ([]string, error) {
	event := Event{At: now.UnixMilli(), State: planner.Queued, Note: "a person decided"}.text()
	out := make([]string, 0, len(ops))
	for chunk := range slices.Chunk(ops, createChunk) {
		args := []any{millis(now), len(chunk)}
		for i := range chunk {
			doc, err := json.Marshal(chunk[i])
			if err != nil {
				return nil, err
			}
			args = append(args, chunk[i].ID, doc, event)
		}
		words, err := j.run(ctx, "decide", args...)
		if err != nil {
			return nil, err
		}
		out = append(out, words[1:]...)
	}
	return out, nil
}
