package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/assembly"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/limiter"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/tasks"
)

// session is an operator on the journal that the settings name.
type session struct {
	*operator.Operator
	// client is nil where no API key is needed and none is set.
	client *api.Client
	closes []func() error
	// wait returns when the rate limit has room for one more request.
	wait func(ctx context.Context) error
}

func (s *session) close() {
	for i := len(s.closes) - 1; i >= 0; i-- {
		_ = s.closes[i]() // the command is over
	}
}

// need says what a command cannot do without.
type need struct {
	// key: the API key.
	key bool
	// alone: the command makes sense without a runner and its journal.
	alone bool
}

// open connects to Redis and makes ready what the commands use.
func (a *app) open(ctx context.Context, n need) (*session, error) {
	if n.key {
		if err := a.set.RequireAPIKey(); err != nil {
			return nil, err
		}
	}
	s := &session{}
	if err := a.assemble(ctx, s, n); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// quietRedis shuts the log of the Redis client, which would tell each failure a
// second time.
func quietRedis() { embedded.LogClient(slog.New(slog.DiscardHandler), time.Now) }

func (a *app) assemble(ctx context.Context, s *session, n need) error {
	quietRedis()
	url, err := a.findRedis(ctx, s, n)
	if err != nil {
		return err
	}
	once, err := a.connect(s, url, embedded.Options{Once: true})
	if err != nil {
		return err
	}
	queue, err := a.connect(s, url, embedded.Options{})
	if err != nil {
		return err
	}
	if err := embedded.Ping(ctx, once, url); err != nil {
		return err
	}
	j, err := journal.Open(once)
	if err != nil {
		return err
	}
	limit := limiter.New(once, a.set.RateLimit.Interval())
	s.wait = limit.Wait
	if s.client, err = a.api(limit.Wait); err != nil {
		return err
	}
	rooms := assembly.Config{
		Executor: executor.Config{
			Journal: j, Now: a.now, Log: a.log, Wait: limit.Wait, Refused: limit.Refused, Urgent: limiter.Urgent,
			Draw: rand.Text, Jitter: assembly.Jitter, Concurrency: a.set.Concurrency, SettleAfter: a.set.SettleAfter,
		},
		Journal: j, Queue: tasks.NewClient(queue, a.now, 1),
	}
	if s.client != nil {
		rooms.Market = s.client
	}
	s.Operator = assembly.New(rooms).Operator
	return nil
}

// findRedis is the address of the Redis. A command that can do alone gets an
// empty one of its own where no runner is at work.
func (a *app) findRedis(ctx context.Context, s *session, n need) (string, error) {
	if a.set.RedisURL != "" {
		return a.set.RedisURL, nil
	}
	url, err := embedded.Find(a.set.DataDir)
	if err == nil || !n.alone || !errors.Is(err, embedded.ErrNotRunning) {
		return url, err
	}
	a.say("no runner is running here: this looks at the marketplace and an empty journal")
	dir, err := os.MkdirTemp("", "enqueue-")
	if err != nil {
		return "", err
	}
	s.closes = append(s.closes, func() error { return os.RemoveAll(dir) })
	server, err := embedded.Start(ctx, embedded.Config{Dir: dir, Volatile: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	s.closes = append(s.closes, server.Close)
	return server.URL(), nil
}

func (a *app) connect(s *session, url string, opt embedded.Options) (redis.UniversalClient, error) {
	client, err := embedded.Connect(url, opt)
	if err != nil {
		return nil, err
	}
	s.closes = append(s.closes, client.Close)
	return client, nil
}

// api is a client under the rate limit that all processes share, or nil without
// a key.
func (a *app) api(wait func(ctx context.Context) error) (*api.Client, error) {
	if !a.set.APIKey.IsSet() {
		return nil, nil
	}
	key, err := api.NewKey(a.set.APIKey.Reveal())
	if err != nil {
		return nil, fmt.Errorf("HIRETALENTS_API_KEY: %w", err)
	}
	return api.New(api.Config{
		BaseURL: a.set.APIURL, Key: key, Timeout: a.set.APITimeout, Now: a.now, Wait: wait,
		UserAgent: "campaign-runner/" + version(),
	})
}

// with opens a session for one command.
func (a *app) with(ctx context.Context, n need, do func(*session) error) error {
	s, err := a.open(ctx, n)
	if err != nil {
		return err
	}
	defer s.close()
	return do(s)
}
