package journal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Mark is an action's place in the schedule.
type Mark struct {
	Watermark time.Time
	// Over tells that the action has no occurrence left.
	Over bool
}

// Marks reads the places of the actions of campaigns, by campaign and action,
// as registering the campaigns would leave them: an action whose trigger
// changed has none, for it starts from then.
func (j *Journal) Marks(ctx context.Context, list []*campaigns.Campaign) (map[string]map[string]Mark, error) {
	out := make(map[string]map[string]Mark, len(list))
	for chunk := range slices.Chunk(list, readChunk) {
		if err := j.readMarks(ctx, chunk, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (j *Journal) readMarks(ctx context.Context, list []*campaigns.Campaign, out map[string]map[string]Mark) error {
	pipe := j.rdb.Pipeline()
	cmds := make([][3]*redis.SliceCmd, len(list))
	for i, c := range list {
		members := make([]string, len(c.Actions))
		for k := range c.Actions {
			members[k] = c.Name + "/" + c.Actions[k].ID
		}
		cmds[i] = [3]*redis.SliceCmd{
			pipe.HMGet(ctx, j.keys.trigger(), members...),
			pipe.HMGet(ctx, j.keys.watermark(), members...),
			pipe.HMGet(ctx, j.keys.over(), members...),
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("journal: watermarks: %w", err)
	}
	for i, c := range list {
		marks := map[string]Mark{}
		for k := range c.Actions {
			trigger, _ := cmds[i][0].Val()[k].(string)
			mark, _ := cmds[i][1].Val()[k].(string)
			ms, err := strconv.ParseInt(mark, 10, 64)
			if err != nil || trigger != triggerDigest(&c.Actions[k]) {
				continue
			}
			marks[c.Actions[k].ID] = Mark{Watermark: time.UnixMilli(ms).UTC(), Over: cmds[i][2].Val()[k] != nil}
		}
		out[c.Name] = marks
	}
	return nil
}

// Campaigns reads campaigns, a few hundred in each round trip. Those that the
// journal does not hold are left out.
func (j *Journal) Campaigns(ctx context.Context, names []string) ([]*Registered, error) {
	out := make([]*Registered, 0, len(names))
	for chunk := range slices.Chunk(names, readChunk) {
		pipe := j.rdb.Pipeline()
		cmds := make([]*redis.MapStringStringCmd, len(chunk))
		for i, name := range chunk {
			cmds[i] = pipe.HGetAll(ctx, j.keys.campaign(name))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("journal: read campaigns: %w", err)
		}
		for i, name := range chunk {
			if cmds[i].Val()["spec"] == "" {
				continue
			}
			reg, err := decodeCampaign(name, cmds[i].Val())
			if err != nil {
				return nil, err
			}
			out = append(out, reg)
		}
	}
	return out, nil
}

// Held tells which of some operations the journal holds.
func (j *Journal) Held(ctx context.Context, ids []string) (map[string]bool, error) {
	held := map[string]bool{}
	for chunk := range slices.Chunk(ids, readChunk) {
		pipe := j.rdb.Pipeline()
		cmds := make([]*redis.IntCmd, len(chunk))
		for i, id := range chunk {
			cmds[i] = pipe.Exists(ctx, j.keys.op(id))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("journal: read operations: %w", err)
		}
		for i, id := range chunk {
			if cmds[i].Val() == 1 {
				held[id] = true
			}
		}
	}
	return held, nil
}

// Since lists the ids of a campaign's operations that were written at or after
// an instant, oldest first.
func (j *Journal) Since(ctx context.Context, campaign string, t time.Time) ([]string, error) {
	ids, err := j.rdb.ZRangeByScore(ctx, j.keys.ops(campaign), &redis.ZRangeBy{Min: millis(t), Max: "+inf"}).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: operations of %s: %w", campaign, err)
	}
	return ids, nil
}

// Waiting tells whether any of a campaign's actions has its place in the
// schedule.
func (j *Journal) Waiting(ctx context.Context, campaign string, actions []string) (bool, error) {
	if len(actions) == 0 {
		return false, nil
	}
	members := make([]string, len(actions))
	for i, a := range actions {
		members[i] = campaign + "/" + a
	}
	pipe := j.rdb.Pipeline()
	for _, m := range members {
		pipe.ZScore(ctx, j.keys.schedule(), m)
	}
	cmds, err := pipe.Exec(ctx)
	for _, cmd := range cmds {
		if cmd.Err() == nil {
			return true, nil
		}
		if cmd.Err() != redis.Nil { //nolint:errorlint // go-redis returns it bare for a missing member
			return false, fmt.Errorf("journal: schedule: %w", err)
		}
	}
	return false, nil
}

// Led tells whether a runner holds the scheduler's lease, by the clock of Redis.
func (j *Journal) Led(ctx context.Context) (bool, error) {
	pipe := j.rdb.Pipeline()
	lease := pipe.HGet(ctx, j.keys.lease(), "until")
	clock := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil && lease.Err() != redis.Nil { //nolint:errorlint // as above
		return false, fmt.Errorf("journal: lease: %w", err)
	}
	until, err := strconv.ParseInt(lease.Val(), 10, 64)
	if err != nil {
		return false, nil //nolint:nilerr // there is no lease
	}
	return time.UnixMilli(until).After(clock.Val()), nil
}
