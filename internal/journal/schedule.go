package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Entry is one action's place in the schedule.
type Entry struct {
	Campaign, Action string
	// Watermark is the newest slot dealt with.
	Watermark time.Time
}

// DueEntries lists actions that are due by now, the longest due first.
func (j *Journal) DueEntries(ctx context.Context, now time.Time, most int) ([]Entry, error) {
	members, err := j.rdb.ZRangeByScore(ctx, j.keys.schedule(), &redis.ZRangeBy{
		Min: "-inf", Max: millis(now), Count: int64(most),
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: schedule: %w", err)
	}
	return j.entries(ctx, members)
}

// Entries reads the places of a campaign's actions.
func (j *Journal) Entries(ctx context.Context, campaign string, actions []string) ([]Entry, error) {
	members := make([]string, len(actions))
	for i, a := range actions {
		members[i] = campaign + "/" + a
	}
	return j.entries(ctx, members)
}

func (j *Journal) entries(ctx context.Context, members []string) ([]Entry, error) {
	if len(members) == 0 {
		return nil, nil
	}
	marks, err := j.rdb.HMGet(ctx, j.keys.watermark(), members...).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: watermarks: %w", err)
	}
	entries := make([]Entry, 0, len(members))
	for i, member := range members {
		campaign, action, _ := strings.Cut(member, "/")
		e := Entry{Campaign: campaign, Action: action}
		mark, ok := marks[i].(string)
		if !ok {
			continue
		}
		ms, err := strconv.ParseInt(mark, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: watermark of %s: %w", member, err)
		}
		e.Watermark = time.UnixMilli(ms).UTC()
		entries = append(entries, e)
	}
	return entries, nil
}

// Unschedule takes an action off the schedule that no spec knows any more.
func (j *Journal) Unschedule(ctx context.Context, e Entry) error {
	return j.rdb.ZRem(ctx, j.keys.schedule(), e.Campaign+"/"+e.Action).Err()
}

// Live is how many operations of an action may still move by themselves.
func (j *Journal) Live(ctx context.Context, campaign, action string) (int, error) {
	n, err := j.rdb.HGet(ctx, j.keys.live(campaign), action).Int()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, err
}

// Missed is how many slots of an action were left out.
func (j *Journal) Missed(ctx context.Context, campaign, action string) (int, error) {
	n, err := j.rdb.HGet(ctx, j.keys.missed(), campaign+"/"+action).Int()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return n, err
}

// Lead takes or renews the scheduler's lease for a time, by the clock of Redis.
// It returns the fencing token, or "" where another holder has the lease.
func (j *Journal) Lead(ctx context.Context, holder string, d time.Duration) (string, error) {
	out, err := j.run(ctx, "lease", holder, d.Milliseconds())
	if err != nil || out[0] != "ok" {
		return "", err
	}
	return out[1], nil
}

// Yield gives the lease back, so that another runner need not wait for its end.
func (j *Journal) Yield(ctx context.Context, holder string) error {
	_, err := j.run(ctx, "yield", holder)
	return err
}
