package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Ended is an occurrence of which an operation has ended since it was last
// looked at, and which another action follows.
type Ended struct {
	Campaign, Action string
	Slot             time.Time

	member, mark string
}

// maxEnded bounds how many occurrences are read at once.
const maxEnded = 10_000

// Ended lists the occurrences that something may follow, the longest ended first.
func (j *Journal) Ended(ctx context.Context) ([]Ended, error) {
	rows, err := j.rdb.ZRangeWithScores(ctx, j.keys.settled(), 0, maxEnded-1).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: ended occurrences: %w", err)
	}
	out := make([]Ended, len(rows))
	for i, row := range rows {
		member, _ := row.Member.(string)
		parts := strings.Split(member, "/")
		if len(parts) != 3 {
			return nil, fmt.Errorf("journal: occurrence %q is not campaign/action/slot", member)
		}
		slot, ok := planner.SlotOf(member)
		if !ok {
			return nil, fmt.Errorf("journal: occurrence %q has no slot", member)
		}
		out[i] = Ended{parts[0], parts[1], slot, member, strconv.FormatFloat(row.Score, 'f', -1, 64)}
	}
	return out, nil
}

// Forget takes an occurrence off that list, unless more of it has ended since.
func (j *Journal) Forget(ctx context.Context, e Ended) error {
	_, err := j.run(ctx, "forget", e.member, e.mark)
	return err
}

// Followers are the actions that follow an action.
func (j *Journal) Followers(ctx context.Context, campaign, action string) ([]Entry, error) {
	members, err := j.members(ctx, j.keys.followers(campaign, action))
	if err != nil {
		return nil, err
	}
	out := make([]Entry, len(members))
	for i, m := range members {
		c, a, _ := strings.Cut(m, "/")
		out[i] = Entry{Campaign: c, Action: a}
	}
	return out, nil
}

// chainsKept is how many occurrences of a following action are remembered.
const chainsKept = 10_000

// Chain remembers that an action has followed into a slot.
func (j *Journal) Chain(ctx context.Context, campaign, action string, slot time.Time) error {
	key := j.keys.chained(campaign, action)
	pipe := j.rdb.Pipeline()
	pipe.ZAdd(ctx, key, redis.Z{Score: float64(slot.Unix()), Member: slot.Unix()})
	pipe.ZRemRangeByRank(ctx, key, 0, -chainsKept-1)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("journal: chain: %w", err)
	}
	return nil
}

// Chained tells whether an action has followed into a slot.
func (j *Journal) Chained(ctx context.Context, campaign, action string, slot time.Time) (bool, error) {
	err := j.rdb.ZScore(ctx, j.keys.chained(campaign, action), strconv.FormatInt(slot.Unix(), 10)).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("journal: chain: %w", err)
	}
	return true, nil
}
