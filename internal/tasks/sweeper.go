package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// SweeperConfig is what a sweeper is made of.
type SweeperConfig struct {
	Redis   redis.UniversalClient
	Journal *journal.Journal
	Client  *Client
	Now     func() time.Time
	Log     *slog.Logger
	// Abandoned turns operations whose sender is gone into ones in doubt.
	Abandoned func(ctx context.Context, ids []string) ([]executor.Next, error)
	// Overdue is how long an operation may be due before it is looked for on
	// the queues, by Now. Default 15s.
	Overdue time.Duration
}

// Sweeper drives again what has no task: the journal knows what is to be done,
// and whatever Asynq lost is enqueued anew.
type Sweeper struct {
	SweeperConfig
	inspector *asynq.Inspector
}

// NewSweeper returns a sweeper.
func NewSweeper(cfg SweeperConfig) *Sweeper {
	if cfg.Overdue <= 0 {
		cfg.Overdue = 15 * time.Second
	}
	return &Sweeper{SweeperConfig: cfg, inspector: asynq.NewInspectorFromRedisClient(cfg.Redis)}
}

// sweepSize is how many operations of a state one sweep looks at.
const sweepSize = 10_000

// Sweep enqueues overdue operations and rating runs that have no task, and
// gives up senders that are gone. It returns how many it drove again.
func (s *Sweeper) Sweep(ctx context.Context) (int, error) {
	now := s.Now()
	left, err := s.Journal.Open(ctx, planner.Sending, now, sweepSize)
	if err != nil {
		return 0, err
	}
	next, err := s.Abandoned(ctx, left)
	if err != nil {
		return 0, err
	}
	idle, err := s.overdue(ctx, now.Add(-s.Overdue))
	if err != nil {
		return 0, err
	}
	reviews, err := s.Journal.Reviews(ctx)
	if err != nil {
		return 0, err
	}
	if len(idle) > 0 || len(reviews) > 0 {
		carried, err := s.carried()
		if err != nil {
			return 0, err
		}
		for _, n := range idle {
			if !carried.ids[n.ID] {
				next = append(next, n)
			}
		}
		if err := s.reviews(ctx, reviews, carried); err != nil {
			return 0, err
		}
	}
	if len(next) > 0 {
		s.Log.InfoContext(ctx, "operations without a task are driven again", "operations", len(next))
	}
	return len(next), s.Client.Enqueue(ctx, next)
}

// overdue are operations that should have been looked at by then.
func (s *Sweeper) overdue(ctx context.Context, by time.Time) ([]executor.Next, error) {
	queued, err := s.Journal.Open(ctx, planner.Queued, by, sweepSize)
	if err != nil {
		return nil, err
	}
	ops, err := s.Journal.Load(ctx, queued)
	if err != nil {
		return nil, err
	}
	next := make([]executor.Next, 0, len(ops))
	for _, op := range ops {
		next = append(next, executor.Next{ID: op.ID, Queue: op.Queue()})
	}
	doubtful, err := s.Journal.Open(ctx, planner.Unknown, by, sweepSize)
	if err != nil {
		return nil, err
	}
	for _, id := range doubtful {
		next = append(next, executor.Next{ID: id, Queue: planner.QueueWatch})
	}
	return next, nil
}

// carried is what the queues hold.
type carried struct {
	ids     map[string]bool
	reviews map[journal.Review]bool
}

// carried reads every task that is to run or runs. A task that Asynq put aside
// for good is deleted: it would neither run nor be seen again.
func (s *Sweeper) carried() (carried, error) {
	c := carried{ids: map[string]bool{}, reviews: map[journal.Review]bool{}}
	known, err := s.inspector.Queues()
	if err != nil {
		return c, fmt.Errorf("sweep: queues: %w", err)
	}
	for queue := range workers {
		if !slices.Contains(known, string(queue)) {
			continue // Asynq makes a queue with its first task
		}
		for _, list := range []func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
			s.inspector.ListPendingTasks, s.inspector.ListActiveTasks,
			s.inspector.ListScheduledTasks, s.inspector.ListRetryTasks,
		} {
			if err := c.read(string(queue), list); err != nil {
				return c, err
			}
		}
		if _, err := s.inspector.DeleteAllArchivedTasks(string(queue)); err != nil {
			return c, fmt.Errorf("sweep: archived tasks: %w", err)
		}
	}
	return c, nil
}

const listSize = 500

func (c *carried) read(queue string, list func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error)) error {
	for n := 1; ; n++ {
		infos, err := list(queue, asynq.PageSize(listSize), asynq.Page(n))
		if err != nil {
			return fmt.Errorf("sweep: queue %s: %w", queue, err)
		}
		for _, info := range infos {
			c.add(info)
		}
		if len(infos) < listSize {
			return nil
		}
	}
}

func (c *carried) add(info *asynq.TaskInfo) {
	switch info.Type {
	case TypePerform:
		var p page
		if json.Unmarshal(info.Payload, &p) == nil {
			for _, id := range p.IDs {
				c.ids[id] = true
			}
		}
	case TypeReview:
		var r journal.Review
		if json.Unmarshal(info.Payload, &r) == nil {
			c.reviews[r] = true
		}
	}
}

func (s *Sweeper) reviews(ctx context.Context, open []journal.Review, c carried) error {
	for _, r := range open {
		if c.reviews[r] {
			continue
		}
		if err := s.Client.Review(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
