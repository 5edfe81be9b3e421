// Package bench measures the runner against yardsticks in the same run: a bare
// loop of requests, and bare Asynq making the same requests. What counts are
// the ratios; the machine is not.
package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
	"github.com/campaign-runner/campaign-runner/internal/tasks"
)

const inFlight = 16

// rig is one marketplace, one fsynced Redis and one client, shared by all that
// is compared.
type rig struct {
	market *sandbox.Sandbox
	url    string
	client *api.Client
	once   redis.UniversalClient
	queue  redis.UniversalClient
	log    *slog.Logger
}

// setup has a marketplace that answers after a while, and at once where it is 0.
func setup(b *testing.B, answer time.Duration) *rig {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	market := sandbox.New(sandbox.Config{Crowd: sandbox.Crowd{Off: true}, Balance: 8_000_000 * money.Dollar, Latency: answer})
	server := httptest.NewServer(market)
	b.Cleanup(func() { server.Close(); market.Close() })
	key, err := api.NewKey("bench")
	must(b, err)
	client, err := api.New(api.Config{BaseURL: server.URL + "/api/v1", Key: key})
	must(b, err)
	b.Cleanup(client.Close)
	srv, err := embedded.Start(context.Background(), embedded.Config{Dir: b.TempDir(), Log: log})
	must(b, err)
	b.Cleanup(func() { must(b, srv.Close()) })
	if !srv.Durable() {
		b.Fatal("redis-server is needed: the figures are of a Redis that writes to disk")
	}
	once, err := embedded.Connect(srv.URL(), embedded.Options{Once: true})
	must(b, err)
	queue, err := embedded.Connect(srv.URL(), embedded.Options{})
	must(b, err)
	b.Cleanup(func() { must(b, once.Close()); must(b, queue.Close()) })
	return &rig{market: market, url: server.URL + "/api/v1", client: client, once: once, queue: queue, log: log}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// job is what every contestant creates.
func job(n int) api.NewJob {
	return api.NewJob{
		Title: "Street signs " + strconv.Itoa(n), Price: money.MustParse("0.05"), Seats: 2, International: true,
		CategoryID: 13, Minutes: 5, Steps: []string{"Type the signs"}, Proof: []api.Proof{{Desc: "The signs", Type: "text"}},
	}
}

// bareLoop makes n calls with 16 in flight and nothing else.
func bareLoop(b *testing.B, n int, call func(i int) error) float64 {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range inFlight {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := call(int(i - 1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return rate(n, start)
}

// bareAsynq makes n calls as n tasks of 16 workers, without books or budgets.
func bareAsynq(b *testing.B, r *rig, n int, call func(i int) error) float64 {
	b.Helper()
	client := asynq.NewClientFromRedisClient(r.queue)
	for i := range n {
		_, err := client.Enqueue(asynq.NewTask("bare", []byte(strconv.Itoa(i))), asynq.Queue("bare"))
		must(b, err)
	}
	server := asynq.NewServerFromRedisClient(r.queue, asynq.Config{
		Concurrency: inFlight, Queues: map[string]int{"bare": 1}, TaskCheckInterval: 20 * time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	var left atomic.Int64
	left.Store(int64(n))
	done := make(chan struct{})
	start := time.Now()
	must(b, server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		i, err := strconv.Atoi(string(t.Payload()))
		if err != nil {
			return err
		}
		if err := call(i); err != nil {
			return err
		}
		if left.Add(-1) == 0 {
			close(done)
		}
		return nil
	})))
	<-done
	got := rate(n, start)
	server.Shutdown()
	return got
}

// ours carries n planned operations out: tasks, journal, budget and all.
func ours(b *testing.B, r *rig, j *journal.Journal, ops []planner.Operation) float64 {
	b.Helper()
	ctx := context.Background()
	var left atomic.Int64
	left.Store(int64(len(ops)))
	done := make(chan struct{})
	guard, err := sendlog.Start(ctx, sendlog.Config{
		Disk: sendlog.OS(b.TempDir()), Journal: j, Name: "bench", Now: time.Now, Draw: rand.Text, Log: r.log,
	})
	must(b, err)
	defer func() { must(b, guard.Close(ctx)) }()
	exec := executor.New(executor.Config{
		Witness: guard, Journal: counted{j, &left, done}, Market: r.client, Now: time.Now, Log: r.log, Draw: rand.Text,
		Jitter: func(d time.Duration) time.Duration { return d }, Concurrency: inFlight,
	})
	created, err := j.Create(ctx, time.Now(), nil, journal.Queue(ops))
	must(b, err)
	if len(created) != len(ops) {
		b.Fatalf("%d of %d operations are new", len(created), len(ops))
	}
	client := tasks.NewClient(r.queue, time.Now, 1)
	must(b, client.Operations(ctx, ops))
	server := tasks.NewServer(tasks.ServerConfig{Redis: r.queue, Client: client, Performer: exec, Log: r.log})
	start := time.Now()
	must(b, server.Start())
	<-done
	got := rate(len(ops), start)
	server.Shutdown()
	return got
}

// counted tells when all operations are applied.
type counted struct {
	*journal.Journal
	left *atomic.Int64
	done chan struct{}
}

func (c counted) Settle(ctx context.Context, s journal.Settlement) ([]string, error) {
	closed, err := c.Journal.Settle(ctx, s)
	if err == nil && s.To == planner.Applied && c.left.Add(-1) == 0 {
		close(c.done)
	}
	return closed, err
}

func (c counted) SettlePage(ctx context.Context, now time.Time, list []journal.Settlement) ([]bool, error) {
	written, err := c.Journal.SettlePage(ctx, now, list)
	for _, w := range written {
		if w && c.left.Add(-1) == 0 {
			close(c.done)
		}
	}
	return written, err
}

func rate(n int, start time.Time) float64 { return float64(n) / time.Since(start).Seconds() }

// campaign has n items and a cap that they all fit under.
func campaign(n int) *campaigns.Campaign {
	c := &campaigns.Campaign{
		Name: "bench", Source: "bench", Timezone: "UTC",
		Job: &campaigns.Job{
			Title: "Street signs {{ .n }}", Category: "13", Price: money.MustParse("0.05"), Seats: 2, Countries: []string{"INT"},
			Minutes: 5, Steps: []string{"Type the signs"}, Proof: []campaigns.Proof{{Type: "text", Text: "The signs"}},
		},
		Budget: &campaigns.Budget{
			Cap: 1_000_000 * money.Dollar, PauseAt: 900_000 * money.Dollar,
			Per: campaigns.PerTotal, Measure: campaigns.MeasureCommitted, Resume: campaigns.ResumeManual, Timezone: "UTC",
		},
		Actions: []campaigns.Action{{ID: "create", Do: campaigns.DoCreate, Now: true, Timezone: "UTC", CatchUp: campaigns.CatchUpLast, Overlap: campaigns.OverlapSkip}},
	}
	for i := range n {
		key := strconv.Itoa(i)
		c.Items = append(c.Items, campaigns.Item{Key: key, Fields: map[string]string{"n": key}})
	}
	return c
}

// BenchmarkPaying compares creates: ours with journal and budget, against bare
// Asynq and a bare loop with neither.
func BenchmarkPaying(b *testing.B) {
	const n = 3000
	r := setup(b, 0)
	ctx := context.Background()
	create := func(i int) error { _, err := r.client.CreateJob(ctx, job(i)); return err }
	for b.Loop() {
		bareLoop(b, n/3, create) // warms connections
		loop := bareLoop(b, n, create)
		bare := bareAsynq(b, r, n, create)
		must(b, r.once.FlushAll(ctx).Err())
		j, err := journal.Open(r.once)
		must(b, err)
		c := campaign(n)
		must(b, j.Register(ctx, time.Now(), c))
		got := ours(b, r, j, planner.Expand(c, &c.Actions[0], time.Now().Truncate(time.Second), nil))
		report(b, "paying calls", loop, bare, got)
	}
}

// BenchmarkRating compares ratings: ours with the journal, against the same two.
// A marketplace that answers at once, on these very cores, makes the processor
// the limit. One that is as near as a millisecond makes it the requests in
// flight, and so the concurrency: no marketplace behind a network is nearer.
func BenchmarkRating(b *testing.B) {
	for _, answer := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
		name := "after " + answer.String()
		if answer == 0 {
			name = "at once"
		}
		b.Run(name, func(b *testing.B) { ratings(b, "ratings "+name, setup(b, answer)) })
	}
}

func ratings(b *testing.B, what string, r *rig) {
	const n = 4000
	ctx := context.Background()
	rate := func(ids []int64) func(int) error {
		return func(i int) error { return r.client.Rate(ctx, ids[i], api.Rating{Status: api.Approved}) }
	}
	for b.Loop() {
		loop := bareLoop(b, n, bareRate(r, applications(b, r, n)))
		bare := bareAsynq(b, r, n, rate(applications(b, r, n)))
		must(b, r.once.FlushAll(ctx).Err())
		j, err := journal.Open(r.once)
		must(b, err)
		must(b, j.Register(ctx, time.Now(), campaign(1)))
		var ops []planner.Operation
		for _, id := range applications(b, r, n) {
			ops = append(ops, planner.OnApplication("bench", "rate", "0", 1, planner.Rating{
				ApplicationID: id, Verdict: campaigns.Approve, Proof: "00000000",
			}, time.Now()))
		}
		report(b, what, loop, bare, ours(b, r, j, ops))
	}
}

// bareRate rates with net/http and nothing of ours: it looks at the status of an
// answer, and not at what it says.
func bareRate(r *rig, ids []int64) func(int) error {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inFlight}}
	return func(i int) error {
		url := r.url + "/application/" + strconv.FormatInt(ids[i], 10) + "/set"
		req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(`{"status":3}`))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer bench")
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("POST %s: %s", url, resp.Status)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
}

// applications are new pending ones of a new job.
func applications(b *testing.B, r *rig, n int) []int64 {
	b.Helper()
	id, err := r.market.AddJob(sandbox.Job{
		Title: "Rated", Price: money.MustParse("0.05"), Seats: int64(n), Category: 13, Minutes: 5, Expected: []string{"Work"},
		Proof: []sandbox.Proof{{Desc: "Proof", Type: "text"}},
	})
	must(b, err)
	ids, err := r.market.AddApplications(id, n)
	must(b, err)
	return ids
}

func report(b *testing.B, what string, loop, bare, got float64) {
	b.ReportMetric(got, "ours/s")
	b.ReportMetric(bare, "asynq/s")
	b.ReportMetric(loop, "loop/s")
	b.ReportMetric(got/bare, "x-asynq")
	b.ReportMetric(got/loop, "x-loop")
	fmt.Printf("%-18s bare loop %7.0f/s   bare asynq %6.0f/s   ours %6.0f/s   = %.1f x asynq, %.2f x loop\n", what, loop, bare, got, got/bare, got/loop)
}
