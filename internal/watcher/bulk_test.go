package watcher_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// bulk is a watcher and an executor over a marketplace of pages of 20, on a
// clock by hand. What they enqueue is carried out by settle.
type bulk struct {
	*testing.T
	ahead atomic.Int64
	box   *sandbox.Sandbox
	books *journal.Journal
	watch *watcher.Watcher
	exec  *executor.Executor
	draws atomic.Int64
	mu    sync.Mutex
	next  []executor.Next
	jobs  []int64
	apps  []int64
	// waves come while ratings are carried out.
	waves []int
}

func (b *bulk) now() time.Time {
	return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(b.ahead.Load()))
}

func newBulk(t *testing.T, cfg sandbox.Config, action campaigns.Action) *bulk {
	t.Helper()
	b := &bulk{T: t}
	cfg.Now, cfg.Crowd, cfg.Balance = b.now, sandbox.Crowd{Off: true}, 100_000*money.Dollar
	b.box = sandbox.New(cfg)
	server := httptest.NewServer(b.box)
	t.Cleanup(func() { server.Close(); b.box.Close() })
	key, err := api.NewKey("key")
	b.must(err)
	client, err := api.New(api.Config{BaseURL: server.URL + sandbox.BasePath, Key: key, Now: b.now, Timeout: time.Second})
	b.must(err)
	t.Cleanup(client.Close)
	rdb, err := embedded.Connect("redis://"+miniredis.RunT(t).Addr(), embedded.Options{Once: true})
	b.must(err)
	t.Cleanup(func() { _ = rdb.Close() })
	b.books, err = journal.Open(rdb)
	b.must(err)
	log := slog.New(slog.DiscardHandler)
	b.exec = executor.New(executor.Config{
		Journal: b.books, Market: client, Now: b.now, Log: log,
		Draw:   func() string { return fmt.Sprintf("draw-%d", b.draws.Add(1)) },
		Jitter: func(d time.Duration) time.Duration { return d / 2 },
	})
	b.watch = watcher.New(watcher.Config{
		Journal: b.books, Market: client, Now: b.now, Log: log, Plan: b.exec.Plan, Enqueue: b.enqueue,
		StartReview: func(context.Context, journal.Review) error { return nil },
		Rest:        func(context.Context, time.Duration) error { return nil },
	})
	b.must(b.books.Register(t.Context(), b.now(), &campaigns.Campaign{
		Name: "signs", Source: "test", Timezone: "UTC", Actions: []campaigns.Action{action},
		Items: []campaigns.Item{{Key: "agra", Fields: map[string]string{"gold": "stop"}}},
	}))
	return b
}

func (b *bulk) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bulk) enqueue(_ context.Context, next []executor.Next) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = append(b.next, next...)
	return nil
}

// open makes jobs of the campaign with room for so many workers each.
func (b *bulk) open(jobs int, seats int64) {
	b.Helper()
	for range jobs {
		id, err := b.box.AddJob(sandbox.Job{
			Title: "Signs", Price: 100_000, Seats: seats, Category: 13, Minutes: 5, Country: "INT",
			Expected: []string{"Type"}, Proof: []sandbox.Proof{{Desc: "Signs", Type: "text"}},
		})
		b.must(err)
		b.must(b.books.Adopt(b.Context(), b.now(), journal.Job{
			ID: id, Campaign: "signs", Item: "agra", Status: journal.JobOnline, Seats: int(seats), Price: 100_000,
		}))
		b.jobs = append(b.jobs, id)
	}
}

// arrive has n workers hand in, spread over the jobs.
func (b *bulk) arrive(n int) {
	b.Helper()
	for i := range n {
		given := sandbox.Handed{Text: fmt.Sprintf("sign %d", len(b.apps))}
		switch len(b.apps) % 10 {
		case 0:
			given.Text = "  "
		case 1:
			given.Text = "copied"
		case 2, 3, 4:
			given.Text = fmt.Sprintf("Stop%s", strings.Repeat(" ", i%3))
		}
		id, err := b.box.AddApplication(b.jobs[i%len(b.jobs)], given)
		b.must(err)
		b.apps = append(b.apps, id)
	}
}

// round polls, reviews, and carries out what that brought, while more arrive.
func (b *bulk) round() {
	b.Helper()
	b.ahead.Add(int64(time.Minute))
	_ = b.watch.Poll(b.Context())            // what fails is tried again in the next round
	due, err := b.books.Reviews(b.Context()) // as the sweeper does: one that failed or waits is there again
	b.must(err)
	for _, r := range due {
		next, err := b.watch.Review(b.Context(), r)
		if err != nil {
			continue
		}
		b.must(b.enqueue(b.Context(), next))
	}
	b.settle()
}

// settle carries out all that is due, in pages, several at a time.
func (b *bulk) settle() {
	b.Helper()
	for {
		var ids []string
		var rest []executor.Next
		for _, n := range b.next {
			if n.Due.After(b.now()) {
				rest = append(rest, n)
			} else {
				ids = append(ids, n.ID)
			}
		}
		b.next = rest
		if len(ids) == 0 {
			return
		}
		if len(b.waves) > 0 {
			b.arrive(b.waves[0])
			b.waves = b.waves[1:]
		}
		pages := slices.Collect(slices.Chunk(ids, 50))
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := w; i < len(pages); i += 4 {
					next, err := b.exec.Perform(b.Context(), pages[i])
					if err != nil {
						b.Error(err)
					}
					_ = b.enqueue(b.Context(), next)
				}
			})
		}
		wg.Wait()
	}
}

// calls counts what the marketplace was asked, the whole of it.
func (b *bulk) calls() (all uint64, by map[string]uint64) {
	by = b.box.Traffic().Received
	for _, n := range by {
		all += n
	}
	return all, by
}

// verdicts compares what every application was rated with what the rules say
// of it, by the marketplace's own books, and wants each rated once.
func (b *bulk) verdicts() {
	b.Helper()
	rated := map[int64]int{}
	for _, job := range b.box.Books().Jobs {
		for _, e := range job.Effects {
			if e.Kind == "rate" {
				rated[e.ApplicationID]++
			}
		}
	}
	list := make([]sandbox.Application, 0, len(b.apps))
	for _, id := range b.apps {
		app, _ := b.box.Application(id)
		list = append(list, app)
	}
	slices.SortFunc(list, func(x, y sandbox.Application) int {
		return cmp.Or(x.At.Truncate(time.Second).Compare(y.At.Truncate(time.Second)), cmp.Compare(x.ID, y.ID))
	})
	earlier := map[string]bool{}
	wrong := 0
	for _, app := range list {
		text := strings.ToLower(strings.TrimSpace(app.Given.Text))
		want := sandbox.AppApproved
		switch {
		case text == "":
			want = sandbox.AppNotCompleted
		case text == "copied" && earlier[text]:
			want = sandbox.AppDeclined
		case text == "stop":
		case text == "copied":
			want = sandbox.AppPending
		}
		earlier[text] = true
		times := 1
		if want == sandbox.AppPending {
			times = 0
		}
		if app.Status != want || rated[app.ID] != times {
			if wrong++; wrong < 10 {
				b.Errorf("application %d with %q has status %d after %d ratings, want %d after %d",
					app.ID, app.Given.Text, app.Status, rated[app.ID], want, times)
			}
		}
	}
	if wrong > 0 {
		b.Errorf("%d of %d applications are wrong", wrong, len(list))
	}
}

// bulkRules look at other answers, leave some to a person, and are as right for
// an application that is judged late as for one that is judged at once.
func bulkRules() campaigns.Action {
	return campaigns.Action{
		ID: "rate", Do: campaigns.DoRate, On: campaigns.OnNewApplication, Timezone: "UTC", MaxDecline: 100,
		Overlap: campaigns.OverlapSkip, Rules: []campaigns.Rule{
			{When: `trim(proof) == ""`, Verdict: campaigns.Redo, Reason: "blank"},
			{When: `trim(lower(proof)) == item.gold`, Verdict: campaigns.Approve},
			{When: `earlier > 0`, Verdict: campaigns.Decline, Reason: "Sent {{ .duplicates }} times."},
			{When: `proof == "copied"`, Verdict: campaigns.Leave},
			{When: `true`, Verdict: campaigns.Approve},
		},
	}
}

// TestThousandsAreRatedOnceInFewCalls counts every call to the marketplace:
// lists of jobs, lists of applications, reads and ratings.
func TestThousandsAreRatedOnceInFewCalls(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		order sandbox.Order
		n     int
	}{"newest first": {sandbox.NewestFirst, thousands}, "oldest first": {sandbox.OldestFirst, 2_000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBulk(t, sandbox.Config{Order: tc.order}, bulkRules())
			b.open(4, int64(tc.n))
			b.arrive(tc.n * 8 / 10)
			b.waves = []int{tc.n / 10, tc.n / 20, tc.n / 20}
			for range 30 {
				b.round()
			}
			b.verdicts()
			all, by := b.calls()
			if most := uint64(len(b.apps)) * 110 / 100; all > most || len(b.apps) != tc.n {
				t.Errorf("%d calls for %d applications, want %d at most: %v", all, len(b.apps), most, by)
			}
			t.Logf("%d calls for %d applications: %.3f each; %v", all, len(b.apps), float64(all)/float64(len(b.apps)), by)
		})
	}
}

// TestThousandsAreRatedOnceThroughFaults has every kind of fault befall reads
// and ratings.
func TestThousandsAreRatedOnceThroughFaults(t *testing.T) {
	t.Parallel()
	plan := sandbox.Plan{
		{Route: sandbox.AnyRoute, Kind: sandbox.HangAfter, Share: 0.001},
		{Route: sandbox.AnyRoute, Kind: sandbox.Status401, Share: 0.0005},
		{Route: sandbox.AnyRoute, Kind: sandbox.Slow, Share: 0.002, Delay: 10 * time.Millisecond},
	}
	for _, kind := range []sandbox.Kind{
		sandbox.DropBefore, sandbox.DropAfter, sandbox.ResetAfter, sandbox.Late, sandbox.Status500Before, sandbox.Status500After,
		sandbox.Status502After, sandbox.Status503, sandbox.Status429, sandbox.HTMLAfter, sandbox.TruncatedAfter,
		sandbox.MalformedAfter, sandbox.Redirect301, sandbox.Redirect307,
	} {
		plan = append(plan, sandbox.Fault{Route: sandbox.AnyRoute, Kind: kind, Share: 0.01})
	}
	const n = 2_000
	b := newBulk(t, sandbox.Config{Faults: plan, Seed: 7}, bulkRules())
	b.open(4, n)
	b.arrive(n * 8 / 10)
	b.waves = []int{n / 10, n / 20, n / 20}
	for range 120 {
		b.round()
	}
	b.verdicts()
	counts, err := b.books.Counts(t.Context(), "signs")
	b.must(err)
	if counts[planner.Unknown]+counts[planner.Queued]+counts[planner.Sending] > 0 {
		t.Errorf("not all is settled: %v", counts)
	}
	all, by := b.calls()
	t.Logf("%d calls for %d applications: %v, %v", all, len(b.apps), by, counts)
}
