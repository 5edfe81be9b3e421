package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Performer carries a page of operations out; executor.Executor does.
type Performer interface {
	Perform(ctx context.Context, ids []string) ([]executor.Next, error)
}

// Reviewer carries a rating run out and returns the operations that it made.
type Reviewer interface {
	Review(ctx context.Context, r journal.Review) ([]executor.Next, error)
}

// ServerConfig is what the workers of a process are made of.
type ServerConfig struct {
	Redis     redis.UniversalClient
	Client    *Client
	Performer Performer
	Reviewer  Reviewer
	Log       *slog.Logger
	// Grace is how long a shutdown waits for requests on their way. Default 45s.
	Grace time.Duration
}

// Server runs the workers: a pool for each queue, so that none waits behind
// another, least of all a pause behind purchases. How many operations are in
// flight is the executor's to bound.
type Server struct {
	cfg   ServerConfig
	pools []*asynq.Server
	// stop ends the context of all handlers: they begin nothing new and return.
	stop context.CancelFunc
	ctx  context.Context //nolint:containedctx // it spans all handlers of the server's life
}

// workers is how many tasks of a queue are in hand at once.
var workers = map[planner.Queue]int{
	planner.QueueControl: 2,
	planner.QueueMoney:   8,
	planner.QueueRate:    24,
	planner.QueueWatch:   2,
}

// pollEvery is how often an idle pool looks for tasks.
const pollEvery = 100 * time.Millisecond

// errStopped is what a handler returns that was cut short by a shutdown.
var errStopped = errors.New("the runner is stopping")

// NewServer returns workers that are not started yet.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Grace <= 0 {
		cfg.Grace = 45 * time.Second
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{cfg: cfg, ctx: ctx, stop: stop}
	for queue, n := range workers {
		s.pools = append(s.pools, asynq.NewServerFromRedisClient(cfg.Redis, asynq.Config{
			Concurrency:              n,
			Queues:                   map[string]int{string(queue): 1},
			TaskCheckInterval:        pollEvery,
			DelayedTaskCheckInterval: time.Second,
			ShutdownTimeout:          cfg.Grace,
			Logger:                   quiet{cfg.Log},
			LogLevel:                 asynq.WarnLevel,
			RetryDelayFunc:           func(int, error, *asynq.Task) time.Duration { return time.Second },
			IsFailure:                func(err error) bool { return !errors.Is(err, errStopped) },
		}))
	}
	return s
}

// Start begins to take tasks.
func (s *Server) Start() error {
	mux := asynq.NewServeMux()
	mux.HandleFunc(TypePerform, s.perform)
	mux.HandleFunc(TypeReview, s.review)
	for _, pool := range s.pools {
		if err := pool.Start(mux); err != nil {
			return fmt.Errorf("start workers: %w", err)
		}
	}
	return nil
}

// Shutdown takes no more tasks, lets requests on their way be settled within
// the grace, and returns. Pages cut short go back to their queue.
func (s *Server) Shutdown() {
	s.stop()
	done := make(chan struct{})
	for _, pool := range s.pools {
		go func() {
			pool.Stop()
			pool.Shutdown()
			done <- struct{}{}
		}()
	}
	for range s.pools {
		<-done
	}
}

// both ends with the server's stop as well as with the task's own context.
func (s *Server) both(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { forget(); cancel() }
}

func (s *Server) perform(ctx context.Context, t *asynq.Task) error {
	var p page
	if err := json.Unmarshal(t.Payload(), &p); err != nil {
		return fmt.Errorf("payload of %s: %w: %w", t.Type(), err, asynq.SkipRetry)
	}
	ctx, cancel := s.both(ctx)
	defer cancel()
	next, err := s.cfg.Performer.Perform(ctx, p.IDs)
	return s.finish(ctx, next, err)
}

func (s *Server) review(ctx context.Context, t *asynq.Task) error {
	var r journal.Review
	if err := json.Unmarshal(t.Payload(), &r); err != nil {
		return fmt.Errorf("payload of %s: %w: %w", t.Type(), err, asynq.SkipRetry)
	}
	ctx, cancel := s.both(ctx)
	defer cancel()
	next, err := s.cfg.Reviewer.Review(ctx, r)
	return s.finish(ctx, next, err)
}

// finish enqueues what comes next and tells Asynq the outcome. It is the one
// place where outcomes meet Asynq: nil is done, all else is tried again.
func (s *Server) finish(ctx context.Context, next []executor.Next, err error) error {
	if len(next) > 0 {
		if eerr := s.cfg.Client.Enqueue(context.WithoutCancel(ctx), next); eerr != nil {
			s.cfg.Log.WarnContext(ctx, "follow-ups could not be enqueued; the sweeper will find them", "err", eerr)
		}
	}
	if err != nil && s.ctx.Err() != nil {
		return errStopped
	}
	return err
}

// quiet passes Asynq's log on; what it says of single tasks is for debugging.
type quiet struct{ log *slog.Logger }

func (q quiet) Debug(args ...any) { q.log.Debug(fmt.Sprint(args...), "from", "asynq") }
func (q quiet) Info(args ...any)  { q.log.Debug(fmt.Sprint(args...), "from", "asynq") }
func (q quiet) Warn(args ...any)  { q.log.Info(fmt.Sprint(args...), "from", "asynq") }
func (q quiet) Error(args ...any) { q.log.Warn(fmt.Sprint(args...), "from", "asynq") }
func (q quiet) Fatal(args ...any) { q.log.Error(fmt.Sprint(args...), "from", "asynq") }
