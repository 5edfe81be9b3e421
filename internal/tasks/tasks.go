// Package tasks is the third room: it carries operations to workers as Asynq
// tasks, and it alone knows Asynq.
//
// Asynq delivers a task at least once and forgets it by its own rules, so a
// task holds only identities, running it twice does nothing, and a task that
// got lost is made again by the sweeper: the journal decides.
package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// The types of tasks.
const (
	// TypePerform carries a page of operations.
	TypePerform = "operations:perform"
	// TypeReview carries a rating run.
	TypeReview = "applications:review"
)

// pageSize is how many operations travel as one task. Ratings of a page are begun
// together and share each write of the disk; larger pages would gain little, and
// would keep Redis from the others for longer.
const pageSize = 25

// maxRetry is how often Asynq starts a task again after a failure of Redis. The
// sweeper would make it anew in any case.
const maxRetry = 100

// longest bounds one task; a page may wait for the rate limit for most of it.
const longest = 6 * time.Hour

// page is the payload of TypePerform.
type page struct {
	IDs []string `json:"ids"`
}

// Client puts operations on the queues. It is safe for concurrent use.
type Client struct {
	asynq *asynq.Client
	now   func() time.Time
	// real turns a span of the runner's clock into one of the wall clock.
	real func(time.Duration) time.Duration
}

// NewClient returns a client on a Redis. now is the runner's clock, and scale
// how many times faster than the wall clock it runs.
func NewClient(rdb redis.UniversalClient, now func() time.Time, scale float64) *Client {
	return &Client{
		asynq: asynq.NewClientFromRedisClient(rdb), now: now,
		real: func(d time.Duration) time.Duration { return time.Duration(float64(d) / scale) },
	}
}

// Operations enqueues new operations, a page to a task.
func (c *Client) Operations(ctx context.Context, ops []planner.Operation) error {
	next := make([]executor.Next, len(ops))
	for i := range ops {
		next[i] = executor.Next{ID: ops[i].ID, Queue: ops[i].Queue()}
	}
	return c.Enqueue(ctx, next)
}

// Enqueue puts operations on their queues, each when it is due.
func (c *Client) Enqueue(ctx context.Context, next []executor.Next) error {
	type place struct {
		queue planner.Queue
		delay time.Duration
	}
	pages := map[place][]string{}
	now := c.now()
	for _, n := range next {
		p := place{queue: n.Queue}
		if !n.Due.IsZero() {
			// Rounded up, so that what is due together travels together.
			p.delay = max(0, c.real(n.Due.Sub(now))+granule-1).Truncate(granule)
		}
		pages[p] = append(pages[p], n.ID)
	}
	for p, ids := range pages {
		for chunk := range slices.Chunk(ids, pageSize) {
			if err := c.put(ctx, TypePerform, page{IDs: chunk}, p.queue, p.delay); err != nil {
				return err
			}
		}
	}
	return nil
}

// granule is the precision of delays; Asynq keeps times in whole seconds.
const granule = time.Second

// Review enqueues a rating run.
func (c *Client) Review(ctx context.Context, r journal.Review) error {
	return c.put(ctx, TypeReview, r, planner.QueueWatch, 0)
}

func (c *Client) put(ctx context.Context, kind string, payload any, q planner.Queue, delay time.Duration) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("task %s: %w", kind, err)
	}
	opts := []asynq.Option{asynq.Queue(string(q)), asynq.MaxRetry(maxRetry), asynq.Timeout(longest)}
	if delay > 0 {
		opts = append(opts, asynq.ProcessIn(delay))
	}
	if _, err := c.asynq.EnqueueContext(ctx, asynq.NewTask(kind, body), opts...); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return nil
}
