package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Filter picks operations. The zero value picks all.
type Filter struct {
	Campaign string
	State    planner.State
	// Most bounds how many of the newest are returned; 0 means all.
	Most int
}

// readChunk is how many operations are read in one round trip.
const readChunk = 500

// Ops lists operations, newest first.
func (j *Journal) Ops(ctx context.Context, f Filter) ([]*Op, error) {
	owners, err := j.owners(ctx, f.Campaign)
	if err != nil {
		return nil, err
	}
	var out []*Op
	for _, owner := range owners {
		ops, err := j.campaignOps(ctx, owner, f)
		if err != nil {
			return nil, err
		}
		out = append(out, ops...)
	}
	slices.SortStableFunc(out, func(a, b *Op) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	if f.Most > 0 && len(out) > f.Most {
		out = out[:f.Most]
	}
	return out, nil
}

// owners are the names under which operations are kept: the campaigns, the
// files whose teams are kept in step, and what was asked for by hand.
func (j *Journal) owners(ctx context.Context, only string) ([]string, error) {
	if only != "" {
		return []string{only}, nil
	}
	return j.members(ctx, j.keys.owners())
}

func (j *Journal) campaignOps(ctx context.Context, owner string, f Filter) ([]*Op, error) {
	var out []*Op
	chunk := int64(readChunk)
	if f.State == "" && f.Most > 0 {
		chunk = min(chunk, int64(f.Most))
	}
	for start := int64(0); ; start += chunk {
		ids, err := j.rdb.ZRevRange(ctx, j.keys.ops(owner), start, start+chunk-1).Result()
		if err != nil {
			return nil, fmt.Errorf("journal: operations of %s: %w", owner, err)
		}
		if len(ids) == 0 {
			return out, nil
		}
		ops, err := j.Load(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, op := range ops {
			if f.State == "" || op.State == f.State {
				out = append(out, op)
			}
		}
		if f.Most > 0 && len(out) >= f.Most {
			return out, nil
		}
	}
}

// Open lists the ids of operations in an open state whose time has come, the
// longest due first.
func (j *Journal) Open(ctx context.Context, s planner.State, now time.Time, most int) ([]string, error) {
	ids, err := j.rdb.ZRangeByScore(ctx, j.keys.open(s), &redis.ZRangeBy{
		Min: "-inf", Max: millis(now), Count: int64(most),
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: %s operations: %w", s, err)
	}
	return ids, nil
}

// Busy counts the operations of an action that are on their way: those that
// move by themselves, but no more than are due by now anywhere, since others
// are held.
func (j *Journal) Busy(ctx context.Context, campaign, action string, now time.Time) (int, error) {
	pipe := j.rdb.Pipeline()
	live := pipe.HGet(ctx, j.keys.live(campaign), action)
	queued := pipe.ZCount(ctx, j.keys.open(planner.Queued), "-inf", millis(now))
	sending := pipe.ZCard(ctx, j.keys.open(planner.Sending))
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return 0, fmt.Errorf("journal: operations of %s on their way: %w", campaign, err)
	}
	n, err := strconv.Atoi(live.Val())
	if err != nil {
		return 0, nil //nolint:nilerr // there are none
	}
	return min(n, int(queued.Val()+sending.Val())), nil
}

// Counts tells how many operations are in each state; campaign "" means all.
func (j *Journal) Counts(ctx context.Context, campaign string) (map[planner.State]int, error) {
	key := j.keys.counts()
	if campaign != "" {
		key = j.keys.count(campaign)
	}
	f, err := j.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: counts: %w", err)
	}
	out := make(map[planner.State]int, len(f))
	for s, text := range f {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("journal: count of %s: %w", s, err)
		}
		if n != 0 {
			out[planner.State(s)] = n
		}
	}
	return out, nil
}

// LedgerEntry is one entry of the ledger: money that moved.
type LedgerEntry struct {
	At time.Time
	// Kind is charge, refund or correction.
	Kind   string
	Amount money.USD
	OpID   string
	JobID  int64
	// Budgets are the scopes and windows that it counts in.
	Budgets []string
}

// Ledger reads the money entries, oldest first. A create that was told of a
// wrong job has the one that it made, once that is known.
func (j *Journal) Ledger(ctx context.Context) ([]LedgerEntry, error) {
	var out []LedgerEntry
	rehomed, err := j.rdb.HGetAll(ctx, j.keys.rehomed()).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: ledger: %w", err)
	}
	from := "-"
	for {
		rows, err := j.rdb.XRangeN(ctx, j.keys.ledger(), from, "+", readChunk).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, fmt.Errorf("journal: ledger: %w", err)
		}
		for _, row := range rows {
			e, err := decodeEntry(row.Values)
			if err != nil {
				return nil, err
			}
			if job, found := rehomed[e.OpID]; found {
				if e.JobID, err = strconv.ParseInt(job, 10, 64); err != nil {
					return nil, fmt.Errorf("journal: ledger: %w", err)
				}
			}
			out = append(out, e)
		}
		if len(rows) < readChunk {
			return out, nil
		}
		from = "(" + rows[len(rows)-1].ID
	}
}

func decodeEntry(values map[string]any) (LedgerEntry, error) {
	f := map[string]string{}
	for k, v := range values {
		f[k] = fmt.Sprint(v)
	}
	r := reader{f: f}
	e := LedgerEntry{
		At: r.time("t"), Kind: f["k"], Amount: money.USD(r.int("m")), OpID: f["op"], JobID: r.int("j"),
	}
	for line := range strings.SplitSeq(f["b"], "\n") {
		if line != "" {
			e.Budgets = append(e.Budgets, line)
		}
	}
	if r.err != nil {
		return e, fmt.Errorf("journal: ledger: %w", r.err)
	}
	return e, nil
}
