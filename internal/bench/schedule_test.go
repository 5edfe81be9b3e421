package bench

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/scheduler"
)

// perCampaign is how many actions each registered campaign has.
const perCampaign = 10

// timetable is a scheduler on a Redis of its own that writes to disk.
type timetable struct {
	b     testing.TB
	books *journal.Journal
	sched *scheduler.Scheduler
	now   func() time.Time

	mu sync.Mutex
	// handed is told each new operation.
	handed func(op planner.Operation)
	loaded int
}

func newTimetable(b testing.TB) *timetable {
	b.Helper()
	srv, err := embedded.Start(context.Background(), embedded.Config{Dir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	must(b, err)
	b.Cleanup(func() { must(b, srv.Close()) })
	if !srv.Durable() {
		b.Fatal("redis-server is needed: the figures are of a Redis that writes to disk")
	}
	once, err := embedded.Connect(srv.URL(), embedded.Options{Once: true})
	must(b, err)
	b.Cleanup(func() { must(b, once.Close()) })
	t := &timetable{b: b, handed: func(planner.Operation) {}}
	t.books, err = journal.Open(once)
	must(b, err)
	t.sched = scheduler.New(scheduler.Config{
		Journal: t.books, Now: func() time.Time { return t.now() }, Log: slog.New(slog.DiscardHandler),
		Enqueue: func(_ context.Context, ops []planner.Operation) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			for _, op := range ops {
				t.handed(op)
			}
			return nil
		},
		Review: func(context.Context, journal.Review) error { return nil },
	})
	return t
}

// often is a create of one job at each multiple of an interval.
func often(name string, actions int, every, jitter time.Duration) *campaigns.Campaign {
	c := &campaigns.Campaign{
		Name: name, Source: "bench", Timezone: "UTC", Items: []campaigns.Item{{Key: "a"}}, Job: &campaigns.Job{Seats: 1},
	}
	for i := range actions {
		c.Actions = append(c.Actions, campaigns.Action{
			ID: fmt.Sprint("a", i), Do: campaigns.DoCreate, Every: campaigns.Duration(every), Jitter: campaigns.Duration(jitter),
			Timezone: "UTC", CatchUp: campaigns.CatchUpLast, CatchUpWindow: campaigns.Duration(24 * time.Hour), Overlap: campaigns.OverlapAllow,
		})
	}
	return c
}

// register writes campaigns until so many actions are registered.
func (t *timetable) register(actions int, every, jitter time.Duration) time.Duration {
	t.b.Helper()
	start := time.Now()
	var group errgroup.Group
	group.SetLimit(256)
	for ; t.loaded < actions; t.loaded += perCampaign {
		c := often(fmt.Sprint("c-", t.loaded), perCampaign, every, jitter)
		group.Go(func() error { return t.books.Register(context.Background(), t.now(), c) })
	}
	must(t.b, group.Wait())
	return time.Since(start)
}

// BenchmarkTick plans ten due actions among more and more that are registered.
func BenchmarkTick(b *testing.B) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	t := newTimetable(b)
	t.now = func() time.Time { return now }
	for i := range 10 {
		must(b, t.books.Register(context.Background(), now, often(fmt.Sprint("due-", i), 1, time.Second, 0)))
	}
	const ticks = 300
	for b.Loop() {
		var least float64
		for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
			took := t.register(n, 3650*24*time.Hour, 0)
			lasted := make([]time.Duration, ticks)
			for i := range lasted {
				now = now.Add(time.Second)
				start := time.Now()
				looked, err := t.sched.Tick(context.Background(), "")
				lasted[i] = time.Since(start)
				must(b, err)
				if looked != 10 {
					b.Fatalf("%d actions were due, want 10", looked)
				}
			}
			slices.Sort(lasted)
			median := lasted[ticks/2].Seconds() * 1000
			if least == 0 {
				least = median
			}
			b.ReportMetric(median/least, fmt.Sprintf("x-of-1k/%d", n))
			fmt.Printf("%-14s %9d registered (in %v)   ten due in %.2f ms, p99 %.2f ms   = %.2f x of 1,000 registered\n",
				"tick", n, took.Round(time.Millisecond), median, lasted[ticks*99/100].Seconds()*1000, median/least)
		}
	}
}

// BenchmarkLateness runs the schedule of 100,000 actions by the real clock and
// measures how late operations are handed on; the target is a p99 of 250 ms.
func BenchmarkLateness(b *testing.B) {
	const (
		actions = 100_000
		every   = 10 * time.Minute
		jitter  = 9 * time.Minute
		lasts   = 15 * time.Second
		target  = 250 * time.Millisecond
		tick    = 100 * time.Millisecond
	)
	t := newTimetable(b)
	// The clock starts midway through an interval, so that slots are due at once
	// and all the time.
	origin := time.Date(2026, 11, 24, 11, 59, 59, 0, time.UTC)
	t.now = func() time.Time { return origin }
	took := t.register(actions, every, jitter)
	a := often("x", 1, every, jitter).Actions[0]
	s, err := a.Schedule()
	must(b, err)
	for b.Loop() {
		began := time.Now()
		start := origin.Add(5 * time.Minute)
		t.now = func() time.Time { return start.Add(time.Since(began)) }
		burst := 0
		for looked := 1; looked > 0; burst += looked {
			looked, err = t.sched.Tick(context.Background(), "")
			must(b, err)
		}
		drained := time.Since(began)
		var late []time.Duration
		t.handed = func(op planner.Operation) {
			late = append(late, t.now().Sub(s.FireAt(op.Slot, op.Campaign+"/"+op.Action)))
		}
		ticker := time.NewTicker(tick)
		for end := time.Now().Add(lasts); time.Now().Before(end); <-ticker.C {
			_, err := t.sched.Tick(context.Background(), "")
			must(b, err)
		}
		ticker.Stop()
		slices.Sort(late)
		p99 := late[len(late)*99/100]
		b.ReportMetric(p99.Seconds()/target.Seconds(), "x-of-250ms")
		fmt.Printf("%-14s %d registered in %v, %d made up for in %v   then %d in %v: p50 %v, p99 %v   = %.2f x of the %v allowed\n",
			"lateness", actions, took.Round(time.Millisecond), burst, drained.Round(time.Millisecond), len(late), lasts,
			late[len(late)/2].Round(time.Millisecond), p99.Round(time.Millisecond), p99.Seconds()/target.Seconds(), target)
	}
}
