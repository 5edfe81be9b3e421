package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// settleAfter is short, so that doubts end; what lands late lands within three
// times of it, which is what the product assumes.
const (
	settleAfter = 1500 * time.Millisecond
	apiTimeout  = 1500 * time.Millisecond
)

// world is a marketplace, a Redis and some runners, each a process of its own.
type world struct {
	t     *testing.T
	s     scenario
	seed  uint64
	redis *redisServer
	// proxy stands before the Redis where a replica may take its place.
	proxy   *proxy
	replica *redisServer
	control string
	env     []string
	runners []*runner
	rdb     *redis.Client
	journal *journal.Journal

	mu     sync.Mutex
	dice   *rand.Rand
	counts map[string]int
}

func newWorld(t *testing.T, s scenario, seed uint64) *world {
	t.Helper()
	w := &world{t: t, s: s, seed: seed, dice: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
	w.redis = newRedis(t)
	url := w.redis.url()
	if s.proxied {
		w.proxy = newProxy(t, "127.0.0.1:"+w.redis.port)
		url = w.proxy.url()
	}
	w.startSandbox(url)
	w.rdb = redis.NewClient(&redis.Options{Addr: strings.TrimPrefix(url, "redis://"), DisableIdentity: true})
	t.Cleanup(func() { _ = w.rdb.Close() })
	var err error
	w.journal, err = journal.Open(w.rdb)
	must(t, err)
	for range s.runners {
		r := &runner{w: w, dir: t.TempDir(), log: &logbook{}}
		w.runners = append(w.runners, r)
		t.Cleanup(func() { r.end() })
		r.start()
	}
	w.await("a runner that is ready", func() bool {
		return slices.ContainsFunc(w.runners, func(r *runner) bool { return r.ready() })
	})
	return w
}

// end leaves no process behind, and tells a failed test the last words.
func (r *runner) end() {
	if r.w.t.Failed() {
		r.w.t.Logf("a runner's last words:\n%s", r.log.tail(4000))
	}
	r.mu.Lock()
	p := r.proc
	r.wanted = false
	r.mu.Unlock()
	if p != nil {
		p.signal(syscall.SIGCONT)
		p.kill()
	}
	if strings.Contains(r.log.tail(1<<30), "panic:") {
		r.w.t.Errorf("a runner panicked:\n%s", r.log.tail(6000))
	}
}

func (w *world) startSandbox(redisURL string) {
	w.t.Helper()
	args := append([]string{
		"sandbox", "--listen", "127.0.0.1:0", "--seed", fmt.Sprint(w.seed), "--log", "200000",
		"--time-scale", fmt.Sprint(w.s.pace()), "--faults", w.s.faults(w.s.pace()),
	}, w.s.sandbox...)
	log := &logbook{}
	p, err := launch(os.Environ(), log, filepath.Join(bin, "runner"), args...)
	must(w.t, err)
	w.t.Cleanup(p.kill)
	var url string
	select {
	case url = <-p.first:
	case <-time.After(patience):
	}
	if url == "" {
		w.t.Fatalf("the sandbox says nothing:\n%s", log.tail(2000))
	}
	w.control = strings.TrimSuffix(url, "/api/v1")
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.t.TempDir(), "TZ=UTC", "RUNNER_LISTEN=127.0.0.1:0",
		"HIRETALENTS_API_URL=" + url, "HIRETALENTS_API_KEY=chaos", "REDIS_URL=" + redisURL,
		"RUNNER_RATE_LIMIT=off", "RUNNER_SETTLE_AFTER=" + settleAfter.String(), "RUNNER_API_TIMEOUT=" + apiTimeout.String(),
		"RUNNER_LOG_FORMAT=text",
	}
}

// roll draws a number below n by the seed.
func (w *world) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.IntN(n)
}

func (w *world) count(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what] += n
}

// report tells the counts, in order.
func (w *world) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(w.counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, w.counts[name]))
	}
	return strings.Join(parts, ", ")
}

func (w *world) await(what string, reached func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !reached() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// spec writes the load: jobs in bulk that are topped up, restarted, updated and
// rated; jobs that are paused and resumed over and over; and a campaign whose
// threshold is reached on the way. It ends by itself at until. A pause waits
// for a moment in which nothing else moves money, so the jobs in bulk rest where
// pauses are what it is about.
func (w *world) spec(until time.Time) string {
	topUp, rounds := "5s", 4
	if w.s.pauses {
		topUp, rounds = "20s", 10
	}
	text := fmt.Sprintf(`version: 1
name: chaos
timezone: UTC
budget: {cap: 150}
defaults:
  job: {countries: INT, category: surveys/labelling, minutes: 5, steps: ["Look at the photo."], proof: [{text: "What you saw"}]}
campaigns:
  - name: bulk
    items: {list: [%[2]s]}
    job: {title: "Photo {{ .item }}", price: 0.10, seats: 3}
    budget: {cap: 90}
    actions:
      - {do: create, now: true}
      - {do: add_seats, seats: 2, every: %[4]s, until: %[1]q, jobs: all, overlap: allow, catch_up: all}
      - {do: restart, every: 7s, until: %[1]q}
      - {do: update, every: 6s, until: %[1]q, set: {minutes: 9}}
      - {do: rate, every: 3s, until: %[1]q, rules: [{when: "true", verdict: approve}]}
  - name: cycle
    items: {list: [%[3]s]}
    job: {title: "Round {{ .item }}", price: 0.20, seats: 4}
    budget: {cap: 90}
    actions:
      - {do: create, now: true}
      - {do: pause, every: 4s, until: %[1]q, jobs: online, catch_up: all, overlap: allow}
      - {do: resume, seats: 3, every: 3s, until: %[1]q, jobs: all, catch_up: all, overlap: allow}
      - {do: rate, every: 4s, until: %[1]q, rules: [{when: "true", verdict: redo, reason: "Again, please."}]}
  - name: edge
    job: {title: "Every second", price: 0.15, seats: 2}
    budget: {cap: 6, pause_at: 60%%, resume: manual}
    actions:
      - {do: create, every: 1s, until: %[1]q, catch_up: all, overlap: allow}
      - {do: add_seats, seats: 1, every: 2s, until: %[1]q, jobs: all, overlap: allow}
`, until.UTC().Format("2006-01-02T15:04:05Z"), items("a", w.s.items), items("c", rounds), topUp)
	path := filepath.Join(w.t.TempDir(), "chaos.yaml")
	must(w.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func items(prefix string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return strings.Join(list, ", ")
}

// load applies the spec and lets disturbances go on until its schedules end.
func (w *world) load() {
	w.t.Helper()
	span := time.Duration(float64(w.s.seconds) * *lengthFlag * float64(time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	path := w.spec(time.Now().Add(span - time.Second))
	if w.s.ratings {
		path = w.ratingsSpec()
	}
	w.await("the spec to be applied", func() bool {
		_, stderr, code := w.enqueue("apply", path, "--yes")
		if code == 2 {
			w.t.Fatalf("apply refuses the spec: %s", stderr)
		}
		return code == 0
	})
	var wg sync.WaitGroup
	for _, disturb := range w.s.during {
		wg.Go(func() { disturb(ctx, w) })
	}
	sampling, stop := context.WithCancel(context.Background())
	var sampled sync.WaitGroup
	sampled.Go(func() { w.sample(sampling) })
	<-ctx.Done()
	wg.Wait()
	must(w.t, w.order("/sandbox/faults", ""))
	w.quiesce()
	if w.s.ratings {
		w.rateAll()
	}
	if w.s.mends {
		w.mend()
	}
	stop()
	sampled.Wait()
}

// quiesce waits until nothing is left undone but what waits behind a parked
// operation on the same job.
func (w *world) quiesce() {
	w.t.Helper()
	began := time.Now()
	for calm := 0; calm < 3; {
		if time.Since(began) > patience {
			attention, _, _ := w.enqueue("status")
			w.fail("work is left undone:\n%s\n%s", w.unfinished(), attention)
			w.t.FailNow()
		}
		ops, err := w.journal.Ops(w.t.Context(), journal.Filter{})
		if calm++; err != nil || len(undone(ops)) > 0 {
			calm = 0
		}
		time.Sleep(500 * time.Millisecond)
	}
	w.count("seconds to quiet", int(time.Since(began).Seconds()))
}

// undone are the operations that ought to move by themselves.
func undone(ops []*journal.Op) []*journal.Op {
	parked := map[int64]bool{}
	for _, op := range ops {
		if op.State == planner.Parked {
			parked[op.JobID] = true
		}
	}
	var open []*journal.Op
	for _, op := range ops {
		if !op.State.Settled() && (op.State != planner.Queued || !parked[op.JobID]) {
			open = append(open, op)
		}
	}
	return open
}

// unfinished lists some operations that are still open, for a failure.
func (w *world) unfinished() string {
	ops, err := w.journal.Ops(w.t.Context(), journal.Filter{})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, op := range undone(ops) {
		fmt.Fprintf(&b, "%s %s attempts %d due %s: %s\n", op.ID, op.State, op.Attempts, op.Due.Format(time.TimeOnly), op.Error)
	}
	return b.String()
}

// fail tells what is wrong, with what replays it.
func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(format+"\nreplay: %s", append(args, w.s.replay(w.seed))...)
}
