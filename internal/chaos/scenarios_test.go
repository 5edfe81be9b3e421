// Package chaos runs the built programs as processes against a marketplace that
// fails, a Redis that is killed, and a killer of their own, and holds their
// books against the marketplace's.
package chaos

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

var (
	seedFlag   = flag.Uint64("chaos.seed", 1, "decides the faults, the workers and who is killed when")
	lengthFlag = flag.Float64("chaos.length", 1, "how many times longer the load goes on than the scenario says")
)

// scenario is one load with what befalls it.
type scenario struct {
	name string
	// test is the test function; "" is TestMatrix, or TestSmoke for the smoke.
	test    string
	runners int
	items   int
	// seconds is how long the load goes on.
	seconds int
	// pauses asks for a load of pauses and resumes more than of purchases.
	pauses bool
	// ratings asks for a load of ratings in bulk.
	ratings bool
	// mends tells that creates are told of wrong jobs, which an audit puts right.
	mends bool
	// share of the changing calls that are faulty, from 0 to 1.
	share float64
	// scale is how many times faster than the clock the marketplace's time runs.
	scale float64
	// more faults, beside those of share.
	more string
	// sandbox are more flags of the marketplace.
	sandbox []string
	during  []disturbance
	// proxied puts an address of its own before the Redis.
	proxied bool
}

// disturbance goes on until ctx ends, and leaves everything running.
type disturbance func(ctx context.Context, w *world)

// pace is the marketplace's time; at 3600 jobs fill within a minute.
func (s scenario) pace() float64 {
	if s.scale == 0 {
		return 3600
	}
	return s.scale
}

// replay is the command that runs the scenario again with the same seed.
func (s scenario) replay(seed uint64) string {
	test, tags := s.test, "-tags chaos "
	if test == "" {
		test = "TestMatrix"
	}
	name := test + "/" + strings.ReplaceAll(s.name, " ", "_") + "$"
	if s.name == "smoke" {
		name, tags = "TestSmoke", ""
	}
	return fmt.Sprintf("go test %s./internal/chaos -run '%s' -v -chaos.seed %d", tags, name, seed)
}

// faults spreads the share over every kind of fault on every call that changes
// something. A call that lands late does so within the time that the product
// assumes, by the clock of this machine.
func (s scenario) faults(pace float64) string {
	late := time.Duration(float64(2*settleAfter) * 0.8 * pace).String()
	kinds := []string{
		"drop_before", "drop_after", "reset_after", "hang_after", "late(" + late + ")", "500_before", "500_after",
		"502_html_after", "503", "429", "html_200_after", "truncated_after", "malformed_after", "redirect_302", "redirect_307",
	}
	var plan []string
	for _, route := range []string{"create", "add_seats", "resume", "pause", "restart", "update", "rate"} {
		list := kinds
		switch route {
		case "create": // a new job's wrong id can't be told from a right one without a read
			list = append([]string{"cost_missing"}, kinds...)
		case "add_seats", "resume":
			list = append([]string{"wrong_job_id", "cost_missing"}, kinds...)
		case "pause", "restart", "update":
			list = append([]string{"wrong_job_id"}, kinds...)
		}
		for _, kind := range list {
			plan = append(plan, fmt.Sprintf("%s:%s=%.4f", route, kind, s.share/float64(len(list))))
		}
	}
	// Reads fail too, though they move nothing.
	if s.share > 0 {
		for _, route := range []string{"quote", "job", "jobs", "me", "application", "applications"} {
			plan = append(plan, route+":429=0.02", route+":500_before=0.02", route+":html_200_after=0.01", route+":drop_after=0.02")
		}
	}
	if s.more != "" {
		plan = append(plan, s.more)
	}
	return strings.Join(plan, ",")
}

// run carries a scenario out and judges it.
func (s scenario) run(t *testing.T, seed uint64) verdicts {
	t.Helper()
	w := newWorld(t, s, seed)
	w.load()
	v := w.judge()
	t.Logf("seed %d: %s", seed, w.report())
	if t.Failed() {
		t.Logf("replay: %s", s.replay(seed))
	}
	return v
}

// TestSmoke is a minute of everything at once.
func TestSmoke(t *testing.T) {
	t.Parallel()
	scenario{
		name: "smoke", runners: 2, items: 16, seconds: 14, share: 0.3, pauses: true,
		during: []disturbance{killing(2 * time.Second), restartingRedis(6 * time.Second)},
	}.run(t, *seedFlag)
}

// every calls do at an interval, once at least, until ctx ends.
func every(ctx context.Context, d time.Duration, do func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(d):
			do()
		}
	}
}

// killing ends one runner, drawn by the seed, with kill -9.
func killing(d time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		every(ctx, d, func() { w.runners[w.roll(len(w.runners))].kill9() })
	}
}

// stopping suspends one runner for longer than its lease and than the time
// after which what it sends counts as abandoned, then wakes it up.
func stopping(d time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		every(ctx, 2*time.Second, func() {
			r := w.runners[w.roll(len(w.runners))]
			r.busy.Lock()
			defer r.busy.Unlock()
			p := r.now()
			p.signal(syscall.SIGSTOP)
			w.count("stops", 1)
			time.Sleep(d)
			p.signal(syscall.SIGCONT)
		})
	}
}

// draining ends each runner in turn by SIGTERM, and demands that it does so
// within its grace. With a single runner nothing may be left sending.
func draining(d time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		n := 0
		every(ctx, d, func() {
			r := w.runners[n%len(w.runners)]
			n++
			took := r.drain()
			w.count("drains", 1)
			if grace := apiTimeout + 20*time.Second; took > grace {
				w.fail("a runner took %v to end after SIGTERM, beyond its grace of %v", took, grace)
			}
			if len(w.runners) == 1 {
				counts, err := w.journal.Counts(w.t.Context(), "")
				if err != nil || counts[planner.Sending] > 0 {
					w.fail("after SIGTERM %d operations are sending (%v)", counts[planner.Sending], err)
				}
			}
			r.start()
		})
	}
}

// restartingRedis kills the Redis and starts it again on its files.
func restartingRedis(d time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		every(ctx, d, func() { w.breakRedis(200 * time.Millisecond) })
	}
}

// cutting has the Redis end all of its connections.
func cutting(d time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		every(ctx, d, func() {
			if err := w.rdb.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err(); err == nil {
				w.count("connections cut", 1)
			}
		})
	}
}

// holdingUp has the Redis answer nobody for a while, longer than a lease lasts, so
// that every connection of a runner waits.
func holdingUp(d, long time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		every(ctx, d, func() {
			if err := w.rdb.ClientPause(ctx, long).Err(); err == nil {
				w.count("redis held up", 1)
			}
		})
	}
}

// breakRedis kills the Redis and starts it again after a while.
func (w *world) breakRedis(down time.Duration) {
	w.redis.now().kill()
	w.count("redis kills", 1)
	time.Sleep(down)
	if err := w.redis.start(); err != nil {
		w.fail("redis: %v", err)
	}
}

// atHandlersEnd waits for a call to be on its way, which the marketplace answers
// slowly, and breaks the Redis before the answer has come.
func atHandlersEnd(breakIt func(w *world)) disturbance {
	return func(ctx context.Context, w *world) {
		sent := func() uint64 {
			var traffic sandbox.Traffic
			if w.ask("/sandbox/requests", &traffic) != nil {
				return 0
			}
			return traffic.Received["create"] + traffic.Received["add_seats"] + traffic.Received["resume"]
		}
		for ctx.Err() == nil {
			for was := sent(); ctx.Err() == nil && sent() == was; {
				time.Sleep(20 * time.Millisecond)
			}
			if ctx.Err() == nil {
				breakIt(w)
			}
			select {
			case <-ctx.Done():
			case <-time.After(3 * time.Second):
			}
		}
	}
}

// stall keeps the Redis from answering, with its connections open.
func stall(d time.Duration) func(w *world) {
	return func(w *world) {
		p := w.redis.now()
		p.signal(syscall.SIGSTOP)
		w.count("redis stalls", 1)
		time.Sleep(d)
		p.signal(syscall.SIGCONT)
	}
}
