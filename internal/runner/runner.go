// Package runner puts a whole runner together: the Redis, the journal, the
// executor with its workers, the scheduler, the watcher and the console. It is
// the one room that knows all others, and holds no logic of its own but the
// order in which they start and stop.
package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/assembly"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/limiter"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
	"github.com/campaign-runner/campaign-runner/internal/settings"
	"github.com/campaign-runner/campaign-runner/internal/tasks"
)

// Config is what a runner is made of.
type Config struct {
	Settings *settings.Settings
	Log      *slog.Logger
	// Now is the runner's clock; Scale is how many times faster than the wall
	// clock it runs. Defaults time.Now and 1.
	Now   func() time.Time
	Scale float64
	// Volatile keeps the embedded Redis in memory even where redis-server is
	// installed.
	Volatile bool
	Version  string
}

// Runner is a running runner.
type Runner struct {
	assembly.Rooms

	cfg    Config
	redis  *embedded.Server // nil where REDIS_URL names one
	once   redis.UniversalClient
	queue  redis.UniversalClient
	client *api.Client
	// holder is the name under which this runner leads, heir what those of its dead
	// predecessors begin with; "" once it asked.
	holder, heir string
	verified     chan struct{}

	Journal *journal.Journal
	Tasks   *tasks.Client
	guard   atomic.Pointer[sendlog.Guard]
	address string
	// nodes are the incarnations of a cluster's nodes that were seen.
	nodes   sync.Map
	limit   *limiter.Limiter
	sweeper *tasks.Sweeper
	workers *tasks.Server
	web     *web

	stop    context.CancelFunc
	loops   sync.WaitGroup
	working atomic.Bool
	polls   atomic.Int64
	// suspected asks for an audit; rota is the leader's own.
	suspected atomic.Bool
	rota      rota
	fatal     chan error
}

// Start starts a runner and returns once it works. ctx bounds the start alone.
// The marketplace need not answer: work waits for it.
func Start(ctx context.Context, cfg Config) (*Runner, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Scale <= 0 {
		cfg.Scale = 1
	}
	r := &Runner{cfg: cfg, verified: make(chan struct{}), fatal: make(chan error, 1), rota: rota{jitter: assembly.Jitter}}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Runner) start(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.assemble(ctx); err != nil {
		return err
	}
	if err := r.listen(ctx); err != nil {
		return err
	}
	if err := r.workers.Start(); err != nil {
		return err
	}
	r.working.Store(true)
	work, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.loops.Go(func() { r.verify(work) })
	r.loops.Go(func() { r.lead(work) })
	r.loops.Go(func() { r.guardRedis(work) })
	r.loops.Go(func() { r.guard.Load().Run(work) })
	return nil
}

// connect finds or starts the Redis and checks that it may be trusted with money.
func (r *Runner) connect(ctx context.Context) error {
	s := r.cfg.Settings
	address := s.RedisURL
	r.address = embedded.Redact(address)
	if address == "" {
		server, err := embedded.Start(ctx, embedded.Config{Dir: s.DataDir, Volatile: r.cfg.Volatile, Log: r.cfg.Log})
		if err != nil {
			return err
		}
		r.redis, address = server, server.URL()
		if r.redis.Durable() {
			r.address = sendlog.Embedded
		}
		if err := s.CheckState(server.Durable()); err != nil {
			return err
		}
	}
	var err error
	if r.once, err = embedded.Connect(address, embedded.Options{Once: true, OnConnect: r.connected}); err != nil {
		return err
	}
	if r.queue, err = embedded.Connect(address, embedded.Options{}); err != nil {
		return err
	}
	if err := embedded.Ping(ctx, r.once, address); err != nil {
		return err
	}
	if s.RedisURL != "" {
		return checkRedis(ctx, r.once, s.LocalAPI(), r.cfg.Now, r.cfg.Log)
	}
	return nil
}

// assemble makes every room; nothing runs yet.
func (r *Runner) assemble(ctx context.Context) error {
	s, cfg := r.cfg.Settings, r.cfg
	var err error
	if r.Journal, err = journal.Open(r.once); err != nil {
		return err
	}
	if err := r.watchSends(ctx); err != nil {
		return err
	}
	r.limit = limiter.New(r.once, s.RateLimit.Interval())
	r.web = newWeb(cfg.Version)
	key, err := api.NewKey(s.APIKey.Reveal())
	if err != nil {
		return err
	}
	r.client, err = api.New(api.Config{
		BaseURL: s.APIURL, Key: key, Timeout: s.APITimeout, Now: cfg.Now,
		Wait: r.limit.Wait, Observe: r.web.observe, UserAgent: "campaign-runner/" + cfg.Version,
	})
	if err != nil {
		return err
	}
	r.Tasks = tasks.NewClient(r.queue, cfg.Now, cfg.Scale)
	r.Rooms = assembly.New(assembly.Config{
		Executor: r.executorConfig(), Journal: r.Journal, Market: r.client, Queue: r.Tasks,
		Grace: r.scaled(time.Minute), Lag: r.web.metrics.SetSchedulerLag,
	})
	r.sweeper = tasks.NewSweeper(tasks.SweeperConfig{
		Redis: r.queue, Journal: r.Journal, Client: r.Tasks, Now: cfg.Now, Log: cfg.Log,
		Abandoned: r.Executor.Abandoned, Overdue: r.scaled(15 * time.Second),
	})
	r.workers = tasks.NewServer(tasks.ServerConfig{
		Redis: r.queue, Client: r.Tasks, Performer: r.Executor, Reviewer: r.Watcher, Log: cfg.Log,
		Grace: s.APITimeout + 15*time.Second,
	})
	return nil
}

func (r *Runner) executorConfig() executor.Config {
	s := r.cfg.Settings
	return executor.Config{
		Witness: r.guard.Load(), Journal: r.Journal, Now: r.cfg.Now, Log: r.cfg.Log,
		Wait: r.permit, Refused: r.limit.Refused, Urgent: limiter.Urgent, Suspect: r.suspect,
		Draw: rand.Text, Jitter: assembly.Jitter, Concurrency: s.Concurrency,
		SettleAfter: r.scaled(s.SettleAfter), SendWithin: r.scaled(10 * time.Second),
		AskWithin: s.APITimeout + 30*time.Second, Abandon: r.scaled(s.APITimeout + 30*time.Second), QuietFor: r.scaled(s.APITimeout + 10*time.Second),
	}
}

// scaled is a span of the wall clock as one of the runner's clock.
func (r *Runner) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * r.cfg.Scale)
}

// permit lets a request pass once the account is known to be the journal's and
// the rate limit has room.
func (r *Runner) permit(ctx context.Context) error {
	select {
	case <-r.verified:
		return r.limit.Wait(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Addr is where the console listens.
func (r *Runner) Addr() string { return r.web.addr }

// Failed yields an error that the runner cannot go on with, such as the end of
// its Redis.
func (r *Runner) Failed() <-chan error { return r.fatal }

func (r *Runner) fail(err error) {
	select {
	case r.fatal <- err:
	default:
	}
}

// Close drains: it plans and begins nothing more, waits for requests on their
// way to be settled, and ends what it started. It is safe after a failed Start.
func (r *Runner) Close() error {
	if r.stop != nil {
		r.stop()
	}
	if r.working.Swap(false) {
		r.workers.Shutdown()
	}
	r.loops.Wait()
	var errs []error
	if r.web != nil {
		errs = append(errs, r.web.close())
	}
	if r.client != nil {
		r.client.Close()
	}
	if g := r.guard.Load(); g != nil {
		errs = append(errs, r.leave(g))
	}
	for _, c := range []redis.UniversalClient{r.once, r.queue} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if r.redis != nil {
		errs = append(errs, r.redis.Close())
	}
	return errors.Join(errs...)
}

// guardRedis ends the runner when its own Redis ends.
func (r *Runner) guardRedis(ctx context.Context) {
	if r.redis == nil {
		return
	}
	select {
	case <-ctx.Done():
	case <-r.redis.Done():
		if ctx.Err() == nil {
			r.fail(fmt.Errorf("the embedded redis has ended: %w", r.redis.Err()))
		}
	}
}

// hostOf is the host of a URL, for messages.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Host
}
