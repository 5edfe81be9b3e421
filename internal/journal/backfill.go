package journal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Backfill asks for slots of an action by name and returns how many of them were
// not asked for yet. They are kept until the scheduler has written their
// operations, the campaign is removed, or the action is.
func (j *Journal) Backfill(ctx context.Context, now time.Time, campaign, action string, slots []time.Time) (int, error) {
	total := 0
	for chunk := range slices.Chunk(slots, createChunk) {
		args := []any{millis(now), campaign, action}
		for _, slot := range chunk {
			args = append(args, millis(slot))
		}
		out, err := j.run(ctx, "backfill", args...)
		if err != nil {
			return total, err
		}
		if out[0] == "gone" {
			return total, fmt.Errorf("action %s/%s: %w", campaign, action, ErrNotFound)
		}
		n, err := strconv.Atoi(out[1])
		if err != nil {
			return total, fmt.Errorf("journal: backfill: %w", err)
		}
		total += n
	}
	return total, nil
}

// Backfilling lists slots that were asked for and are not planned yet, oldest
// first; most below 1 lists all of them.
func (j *Journal) Backfilling(ctx context.Context, campaign, action string, most int) ([]time.Time, error) {
	stop := int64(most) - 1
	if most < 1 {
		stop = -1
	}
	members, err := j.rdb.ZRange(ctx, j.keys.backfill(campaign, action), 0, stop).Result()
	if err != nil {
		return nil, wrap("backfill", err)
	}
	slots := make([]time.Time, len(members))
	for i, m := range members {
		ms, err := strconv.ParseInt(m, 10, 64)
		if err != nil {
			return nil, wrap("backfill", err)
		}
		slots[i] = time.UnixMilli(ms).UTC()
	}
	return slots, nil
}

// PutOff looks at an action's backfill again at a later time.
func (j *Journal) PutOff(ctx context.Context, campaign, action string, until time.Time) error {
	_, err := j.run(ctx, "putoff", campaign+"/"+action, millis(until))
	return err
}

// SlotStates tells of each slot of an action that has operations in which states
// they are. It walks through the campaign's operations once.
func (j *Journal) SlotStates(ctx context.Context, campaign, action string, from, to time.Time) (map[time.Time]map[planner.State]int, error) {
	var ids []string
	slots := map[string]time.Time{}
	scan := j.rdb.ZScan(ctx, j.keys.ops(campaign), 0, campaign+"/"+action+"/*", readChunk).Iterator()
	for member := true; scan.Next(ctx); member = !member {
		if !member {
			continue
		}
		id := scan.Val()
		slot, ok := planner.SlotOf(id)
		if ok && !slot.Before(from) && !slot.After(to) {
			slots[id] = slot
			ids = append(ids, id)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, wrap("operations of "+campaign, err)
	}
	out := map[time.Time]map[planner.State]int{}
	for chunk := range slices.Chunk(ids, readChunk) {
		pipe := j.rdb.Pipeline()
		states := make([]*redis.StringCmd, len(chunk))
		for i, id := range chunk {
			states[i] = pipe.HGet(ctx, j.keys.op(id), "s")
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, wrap("operations of "+campaign, err)
		}
		for i, id := range chunk {
			if out[slots[id]] == nil {
				out[slots[id]] = map[planner.State]int{}
			}
			out[slots[id]][planner.State(states[i].Val())]++
		}
	}
	return out, nil
}
