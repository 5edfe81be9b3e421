package operator_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/scheduler"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

var epoch = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// rig is an operator on an in-process Redis and a simulated marketplace. What it
// enqueues is carried out by drain.
type rig struct {
	*operator.Operator
	t       *testing.T
	box     *sandbox.Sandbox
	redis   *miniredis.Miniredis
	journal *journal.Journal
	exec    *executor.Executor
	watch   *watcher.Watcher
	sched   *scheduler.Scheduler
	clock   atomic.Int64
	names   atomic.Int64

	mu      sync.Mutex
	next    []executor.Next
	reviews []journal.Review
}

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, redis: miniredis.RunT(t)}
	r.box = sandbox.New(sandbox.Config{Now: r.now, Crowd: sandbox.Crowd{Off: true}})
	server := httptest.NewServer(r.box)
	t.Cleanup(server.Close)
	t.Cleanup(r.box.Close)
	key, err := api.NewKey("key-for-tests")
	r.must(err)
	client, err := api.New(api.Config{BaseURL: server.URL + sandbox.BasePath, Key: key, Now: r.now})
	r.must(err)
	t.Cleanup(client.Close)
	rdb := redis.NewClient(&redis.Options{Addr: r.redis.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = rdb.Close() })
	r.journal, err = journal.Open(rdb)
	r.must(err)
	log := slog.New(slog.DiscardHandler)
	r.exec = executor.New(executor.Config{
		Journal: r.journal, Market: client, Now: r.now, Log: log,
		Draw: r.draw, Jitter: func(time.Duration) time.Duration { return 0 },
	})
	sched := scheduler.New(scheduler.Config{
		Journal: r.journal, Now: r.now, Log: log, Review: r.Review,
		Enqueue: func(ctx context.Context, ops []planner.Operation) error {
			for _, op := range ops {
				_ = r.Enqueue(ctx, []executor.Next{{ID: op.ID}})
			}
			return nil
		},
	})
	r.watch = watcher.New(watcher.Config{
		Journal: r.journal, Market: client, Now: r.now, Log: log,
		Plan: r.exec.Plan, Enqueue: r.Enqueue, StartReview: r.Review,
	})
	r.sched = sched
	r.Operator = operator.New(operator.Config{
		Journal: r.journal, Market: client, Executor: r.exec, Scheduler: sched, Queue: r, Judge: r.watch,
		Now: r.now, Log: log, Draw: r.draw,
	})
	return r
}

// now stands still but for advance and drain.
func (r *rig) now() time.Time { return epoch.Add(time.Duration(r.clock.Load())) }

func (r *rig) advance(d time.Duration) { r.clock.Add(int64(d)) }

func (r *rig) draw() string { return "draw" + strconv.FormatInt(r.names.Add(1), 10) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Enqueue implements operator.Queue.
func (r *rig) Enqueue(_ context.Context, next []executor.Next) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = append(r.next, next...)
	return nil
}

// Review implements operator.Queue.
func (r *rig) Review(_ context.Context, review journal.Review) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reviews = append(r.reviews, review)
	return nil
}

// tickOnce plans what is due of all campaigns.
func (r *rig) tickOnce() error {
	_, err := r.sched.Tick(r.t.Context(), "")
	return err
}

// drain carries out what was enqueued, and what follows, until nothing is left;
// it lets time pass for what is due later.
func (r *rig) drain() {
	r.t.Helper()
	for range 50 {
		r.mu.Lock()
		next, reviews := r.next, r.reviews
		r.next, r.reviews = nil, nil
		r.mu.Unlock()
		for _, review := range reviews {
			more, err := r.watch.Review(r.t.Context(), review)
			r.must(err)
			next = append(next, more...)
		}
		if len(next) == 0 {
			return
		}
		var ids []string
		for _, n := range next {
			if n.Due.After(r.now()) {
				r.clock.Store(int64(n.Due.Sub(epoch)))
			}
			ids = append(ids, n.ID)
		}
		more, err := r.exec.Perform(r.t.Context(), ids)
		r.must(err)
		r.must(r.Enqueue(r.t.Context(), more))
	}
	r.t.Fatal("the work does not end")
}

// spec writes a file named spec.yaml and loads it.
func (r *rig) spec(text string) []*campaigns.File { return r.specAs("spec.yaml", text) }

func (r *rig) specAs(name, text string) []*campaigns.File {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), name)
	r.must(os.WriteFile(path, []byte(text), 0o600))
	f, err := campaigns.Load(path)
	r.must(err)
	return []*campaigns.File{f}
}

var week = operator.Options{Horizon: 7 * 24 * time.Hour}

func (r *rig) plan(files []*campaigns.File) *operator.Plan {
	r.t.Helper()
	p, err := r.Plan(r.t.Context(), files, week)
	r.must(err)
	return p
}

// apply plans and applies files and carries out what is due.
func (r *rig) apply(files []*campaigns.File) operator.Progress {
	r.t.Helper()
	done, err := r.Apply(r.t.Context(), r.plan(files))
	r.must(err)
	r.drain()
	p, err := r.Track(done.Work).Look(r.t.Context())
	r.must(err)
	return p
}

// balanced checks that the books agree with the marketplace's own.
func (r *rig) balanced() {
	r.t.Helper()
	a, err := r.journal.Account(r.t.Context())
	r.must(err)
	b := r.box.Books()
	if a.Charged != b.Charged || a.Refunded != b.Refunded {
		r.t.Errorf("the journal has charged %s and refunded %s, the marketplace %s and %s", a.Charged, a.Refunded, b.Charged, b.Refunded)
	}
	for marker, n := range b.Creates {
		if n != 1 {
			r.t.Errorf("%d jobs were made with %s", n, marker)
		}
	}
}

// signs is a campaign of items that each make one job of 10 seats at 0.05 USD,
// with more actions.
func signs(items string, actions ...string) string {
	text := `version: 1
campaigns:
  - name: signs
    items: [` + items + `]
    job:
      title: "Signs in {{ .item }}"
      category: surveys/labelling
      price: 0.05
      seats: 10
      countries: INT
      minutes: 5
      steps: ["Look and type."]
      proof: [{text: "What you read"}]
    budget: {cap: 5}
    actions:
      - {do: create, now: true}
`
	for _, a := range actions {
		text += fmt.Sprintf("      - %s\n", a)
	}
	return text
}
