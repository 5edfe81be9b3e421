package journal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Happening is something that was seen to have happened to a job and that the
// actions waiting for it are yet to be told of.
type Happening struct {
	Job   int64
	Event campaigns.Event
	// Slot is when it was seen, to the second: that of what acts on it.
	Slot time.Time
}

func (h Happening) member() string {
	return fmt.Sprintf("%d/%s/%d", h.Job, h.Event, h.Slot.Unix())
}

// maxHappenings bounds how many are read at once.
const maxHappenings = 1000

// Happenings lists what happened and was not acted on yet, oldest first.
func (j *Journal) Happenings(ctx context.Context) ([]Happening, error) {
	members, err := j.rdb.ZRange(ctx, j.keys.events(), 0, maxHappenings-1).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: events: %w", err)
	}
	out := make([]Happening, len(members))
	for i, m := range members {
		parts := strings.Split(m, "/")
		if len(parts) != 3 {
			return nil, fmt.Errorf("journal: event %q is not job/event/slot", m)
		}
		job, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: event %q: %w", m, err)
		}
		seconds, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: event %q: %w", m, err)
		}
		out[i] = Happening{Job: job, Event: campaigns.Event(parts[1]), Slot: time.Unix(seconds, 0).UTC()}
	}
	return out, nil
}

// Heard takes something off that list once it was acted on.
func (j *Journal) Heard(ctx context.Context, h Happening) error {
	return j.rdb.ZRem(ctx, j.keys.events(), h.member()).Err()
}

// Hint notes that something is said to have happened to a job. It is read once
// for all that is said meanwhile, and not again within every. False tells that
// no campaign owns the job.
func (j *Journal) Hint(ctx context.Context, now time.Time, job int64, every time.Duration) (bool, error) {
	out, err := j.run(ctx, "hint", job, millis(now), every.Milliseconds())
	return err == nil && out[0] == "ok", err
}

// Hinted lists the jobs that are to be read by now, the longest due first.
func (j *Journal) Hinted(ctx context.Context, now time.Time, most int) ([]int64, error) {
	members, err := j.rdb.ZRangeByScore(ctx, j.keys.hints(), &redis.ZRangeBy{Min: "-inf", Max: millis(now), Count: int64(most)}).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: hints: %w", err)
	}
	out := make([]int64, len(members))
	for i, m := range members {
		if out[i], err = strconv.ParseInt(m, 10, 64); err != nil {
			return nil, fmt.Errorf("journal: hint %q: %w", m, err)
		}
	}
	return out, nil
}

// Heed takes a job off that list before it is read; false where another has.
func (j *Journal) Heed(ctx context.Context, now time.Time, job int64) (bool, error) {
	out, err := j.run(ctx, "heed", job, millis(now))
	return err == nil && out[0] == "ok", err
}
