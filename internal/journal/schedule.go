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
	// Due is when the action is to be looked at; the zero time where it has no
	// place in the schedule.
	Due time.Time
	// Backfill tells that it is the place of the action's backfill.
	Backfill bool
}

// backfillPlace ends the schedule member of an action's backfill.
const backfillPlace = "/backfill"

// member is the entry's name in the schedule.
func (e Entry) member() string {
	if e.Backfill {
		return e.Campaign + "/" + e.Action + backfillPlace
	}
	return e.Campaign + "/" + e.Action
}

// DueEntries lists actions that are due by now, the longest due first.
func (j *Journal) DueEntries(ctx context.Context, now time.Time, most int) ([]Entry, error) {
	places, err := j.rdb.ZRangeByScoreWithScores(ctx, j.keys.schedule(), &redis.ZRangeBy{
		Min: "-inf", Max: millis(now), Count: int64(most),
	}).Result()
	if err != nil || len(places) == 0 {
		return nil, wrap("schedule", err)
	}
	members := make([]string, len(places))
	scores := make([]float64, len(places))
	for i, p := range places {
		members[i], _ = p.Member.(string)
		scores[i] = p.Score
	}
	return j.entries(ctx, members, scores)
}

// NextFire is when the first action of the schedule is due; false where none is.
func (j *Journal) NextFire(ctx context.Context) (time.Time, bool, error) {
	first, err := j.rdb.ZRangeByScoreWithScores(ctx, j.keys.schedule(), &redis.ZRangeBy{Min: "-inf", Max: "+inf", Count: 1}).Result()
	if err != nil || len(first) == 0 {
		return time.Time{}, false, wrap("schedule", err)
	}
	return time.UnixMilli(int64(first[0].Score)).UTC(), true, nil
}

// Entries reads the places of a campaign's actions, in the schedule or not.
func (j *Journal) Entries(ctx context.Context, campaign string, actions []string) ([]Entry, error) {
	if len(actions) == 0 {
		return nil, nil
	}
	members := make([]string, len(actions))
	for i, a := range actions {
		members[i] = campaign + "/" + a
	}
	scores, err := j.rdb.ZMScore(ctx, j.keys.schedule(), members...).Result()
	if err != nil {
		return nil, wrap("schedule", err)
	}
	return j.entries(ctx, members, scores)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("journal: %s: %w", what, err)
}

// entries adds the watermarks; a score of 0 is that of no place.
func (j *Journal) entries(ctx context.Context, members []string, scores []float64) ([]Entry, error) {
	marks, err := j.rdb.HMGet(ctx, j.keys.watermark(), members...).Result()
	if err != nil {
		return nil, wrap("watermarks", err)
	}
	entries := make([]Entry, 0, len(members))
	for i, member := range members {
		campaign, action, _ := strings.Cut(member, "/")
		e := Entry{Campaign: campaign}
		e.Action, e.Backfill = strings.CutSuffix(action, backfillPlace)
		if scores[i] != 0 {
			e.Due = time.UnixMilli(int64(scores[i])).UTC()
		}
		mark, ok := marks[i].(string)
		switch ms, err := strconv.ParseInt(mark, 10, 64); {
		case e.Backfill:
		case !ok:
			continue
		case err != nil:
			return nil, fmt.Errorf("journal: watermark of %s: %w", member, err)
		default:
			e.Watermark = time.UnixMilli(ms).UTC()
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Unschedule takes an action off the schedule whose campaign does not run or
// does not have it. It returns ErrFenced where another runner plans by now.
func (j *Journal) Unschedule(ctx context.Context, fence string, e Entry) error {
	out, err := j.run(ctx, "unschedule", fence, e.Campaign, e.Action, e.member())
	if err == nil && out[0] == "fenced" {
		return ErrFenced
	}
	return err
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
// It returns the fencing token, or "" where another holder has the lease. heir is
// what the names of holders begin with that are surely dead, whose lease need not
// run out; "" is none.
func (j *Journal) Lead(ctx context.Context, holder, heir string, d time.Duration) (string, error) {
	out, err := j.run(ctx, "lease", holder, d.Milliseconds(), heir)
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
