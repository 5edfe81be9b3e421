package simtest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// epoch is half an hour before a day and a week begin.
var epoch = time.Date(2026, 11, 1, 23, 30, 0, 0, time.UTC)

// world is one simulated run. All chance comes from its seed, and nothing in
// it runs beside anything else.
type world struct {
	seed uint64
	rng  *rand.Rand
	// now is the true time: the marketplace's and Redis's.
	now     time.Time
	redis   *memory.Redis
	rdb     redis.UniversalClient
	books   *journal.Journal
	box     *sandbox.Sandbox
	direct  *api.Client
	scripts map[string]string
	yielded chan struct{}

	runners  []*runner
	operator *actor
	specs    []*campaigns.Campaign
	// known are all specs that there ever were, by digest.
	known   map[string]*campaigns.Campaign
	wire    []*packet
	packets int
	draws   int
	// calm ends all faults.
	calm bool
	// chances of a fault, in a thousand, of each exchange.
	netChance, redisChance int64

	// server names the running Redis, and smooth lets everything happen at once.
	server string
	smooth bool
	// tail is nil where nothing of Redis gets lost.
	tail *tail

	watch *watch
	tally *tally
	step  int
	// lists are the open operations, read since the last change.
	lists map[planner.State][]redis.Z
	// begun tells that there were jobs from the start.
	begun bool
	// dirty tells that something was written to Redis.
	dirty bool
	trace bytes.Buffer
	err   error
}

// alone tells the runs in which nobody touches the marketplace by hand: what is
// left to a person there, no person has caused.
func alone(seed uint64) bool { return seed%11 == 4 || seed%11 == 5 }

// endsEarly tells the runs that begin with finished jobs, so that many are resumed.
func endsEarly(seed uint64) bool { return seed%11 == 5 || seed%11 == 8 }

func newWorld(seed uint64, t *tally) *world {
	w := &world{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 0x5eed)), now: epoch, yielded: make(chan struct{}),
		tally: t, known: map[string]*campaigns.Campaign{},
		lists: map[planner.State][]redis.Z{}, server: "memory0.0",
	}
	if loses(seed) {
		w.tail = &tail{rng: rand.New(rand.NewPCG(seed, 0x7a11))}
	}
	w.netChance, w.redisChance = 100+w.rng.Int64N(300), w.rng.Int64N(60)
	if w.chance(100) {
		w.netChance, w.redisChance = 0, 0 // some runs have kills and edits alone
	}
	now := func() time.Time { return w.now }
	w.redis = memory.New(now)
	w.rdb = w.redis.Client()
	var err error
	if w.books, err = journal.Open(w.rdb); err != nil {
		panic(err)
	}
	w.scripts = scriptNames()
	w.box = sandbox.New(w.habits(now))
	w.direct = w.client(now, directly{w})
	w.specs = w.campaigns()
	for _, c := range w.specs {
		w.known[c.Digest()] = c
		must(w.books.Register(context.Background(), w.now, c))
	}
	w.watch = newWatch(w)
	people := &runner{name: "person"}
	w.operator = w.newActor(people, "person")
	for i := range 2 + w.rng.IntN(2) {
		r := &runner{name: fmt.Sprintf("runner%d", i), disk: newDisk(w)}
		if i > 0 && w.tail != nil && w.tail.chance(300) {
			r.disk = w.runners[0].disk // two processes of one machine
		}
		if w.chance(300) {
			r.ahead = w.span(-time.Hour, time.Hour)
		}
		w.runners = append(w.runners, r)
		w.staff(r)
	}
	_, err = w.directly().Balance(context.Background())
	must(err)
	if seed%10 != 7 { // the others begin with nothing
		w.begin()
	}
	return w
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// begin makes the first jobs, with some workers on them, before anything fails.
func (w *world) begin() {
	ctx := context.Background()
	var ids []string
	for _, c := range w.specs {
		ops := planner.Expand(c, &c.Actions[0], w.now, nil)
		more, err := w.books.Create(ctx, w.now, nil, journal.Queue(ops[:1+w.rng.IntN(len(ops))]))
		must(err)
		ids = append(ids, more...)
	}
	first := executor.New(executor.Config{
		Journal: w.runners[0].actors[0].books, Witness: w.runners[0].proc.guard, Market: w.direct, Now: func() time.Time { return w.now },
		Draw: w.draw, Jitter: w.jitter, Log: slog.New(slog.DiscardHandler), SettleAfter: settleAfter,
	})
	w.atOnce(func() {
		for _, id := range ids { // one by one, so that a seed says all about it
			_, err := first.Perform(ctx, []string{id})
			must(err)
		}
	})
	for _, r := range w.watch.rows() {
		op, err := w.books.Get(ctx, r.id)
		must(err)
		if op.State == planner.Applied {
			t := w.watch.ops[r.id]
			t.sent, t.effects, t.charged, t.job = 1, 1, *op.Cost, op.JobID
			_, _ = w.box.AddApplications(op.JobID, w.rng.IntN(3)) // none where it waits for approval
		}
	}
	if endsEarly(w.seed) {
		w.finish(first)
	}
	w.dirty = true
	w.begun = true
}

// finish pauses what was made, before anything fails.
func (w *world) finish(by *executor.Executor) {
	ctx := context.Background()
	for _, c := range w.specs {
		jobs, err := w.books.Jobs(ctx, c.Name)
		must(err)
		at := slices.IndexFunc(c.Actions, func(a campaigns.Action) bool { return a.Do == campaigns.DoPause })
		ids, err := w.books.Create(ctx, w.now, nil, journal.Queue(planner.Expand(c, &c.Actions[at], w.now, journal.Views(jobs))))
		must(err)
		for _, id := range ids {
			before := w.box.Books()
			w.atOnce(func() {
				_, err := by.Perform(ctx, []string{id})
				must(err)
			})
			w.watch.rows() // meets the operation
			if after := w.box.Books(); effects(after) > effects(before) {
				t := w.watch.ops[id]
				t.sent, t.effects, t.refunded = 1, 1, after.Refunded-before.Refunded
			}
		}
	}
}

func (w *world) habits(now func() time.Time) sandbox.Config {
	cfg := sandbox.Config{
		Now: now, Wall: now, Seed: w.seed, PageSize: 1 + w.rng.IntN(4), LogSize: 16,
		Balance: []money.USD{0, 0, 12 * money.Dollar, 5 * money.Dollar}[w.rng.IntN(4)],
		Order:   sandbox.Order(w.rng.IntN(2)),
	}
	cfg.Crowd.Off = true
	cfg.Habits = sandbox.Habits{
		NumbersAsStrings: w.chance(300), NullAsEmpty: w.chance(300), WrapLists: w.chance(300),
		Seats: sandbox.Seats(w.rng.IntN(2)), SeatsKept: w.chance(300),
	}
	cfg.KeepFees = w.chance(300)
	if w.chance(200) {
		cfg.Moderation = time.Minute
	}
	return cfg
}

// campaigns are two of one file, under budgets of their own and a common one.
func (w *world) campaigns() []*campaigns.Campaign {
	var common *campaigns.Budget
	if w.chance(500) {
		common = w.budget()
	}
	least := []money.USD{0, money.Dollar, 3 * money.Dollar}[w.rng.IntN(3)]
	make := func(name string, price money.USD, seats int, items ...string) *campaigns.Campaign {
		title := "New words for " + name
		c := &campaigns.Campaign{
			Name: name, Source: "file", Timezone: "UTC", FileBudget: common, MinBalance: least,
			Job: &campaigns.Job{
				Title: "Words for " + name, Category: "201", Price: price, Seats: seats, Minutes: 5,
				Countries: []string{"INT"}, Steps: []string{"Type every word."},
				Proof: []campaigns.Proof{{Type: "text", Text: "The words"}},
			},
			Actions: []campaigns.Action{
				{ID: "create", Do: campaigns.DoCreate, Now: true},
				{ID: "add_seats", Do: campaigns.DoAddSeats, Now: true, Seats: 3},
				{ID: "fill", Do: campaigns.DoAddSeats, Now: true, UpTo: 2 * seats},
				{ID: "pause", Do: campaigns.DoPause, Now: true},
				{ID: "resume", Do: campaigns.DoResume, Now: true, Seats: 4, Jobs: campaigns.JobsLatest},
				{ID: "restart", Do: campaigns.DoRestart, Now: true},
				{ID: "update", Do: campaigns.DoUpdate, Now: true, Set: &campaigns.Update{Title: &title}},
			},
		}
		for _, key := range items {
			c.Items = append(c.Items, campaigns.Item{Key: key})
		}
		if w.chance(800) {
			c.Budget = w.budget()
		}
		return c
	}
	return []*campaigns.Campaign{
		make("signs", money.MustParse("0.05"), 10, "a", "b", "c"),
		make("tiles", money.MustParse("0.1"), 5, "x", "y"),
	}
}

func (w *world) budget() *campaigns.Budget {
	b := &campaigns.Budget{
		Cap:      money.USD(w.rng.Int64N(8)+1) * money.Dollar,
		Per:      []campaigns.Window{campaigns.PerTotal, campaigns.PerDay, campaigns.PerWeek}[w.rng.IntN(3)],
		Measure:  []campaigns.Measure{campaigns.MeasureCommitted, campaigns.MeasureCommitted, campaigns.MeasureConsumed}[w.rng.IntN(3)],
		Resume:   []campaigns.ResumePolicy{campaigns.ResumeManual, campaigns.ResumeWindow}[w.rng.IntN(2)],
		Timezone: "UTC",
	}
	if w.chance(600) {
		b.PauseAt = b.Cap * money.USD(50+w.rng.Int64N(50)) / 100
	}
	return b
}

// chance is true in so many of a thousand.
func (w *world) chance(permille int64) bool { return w.rng.Int64N(1000) < permille }

func (w *world) span(from, to time.Duration) time.Duration {
	return (from + time.Duration(w.rng.Int64N(int64(to-from)))).Truncate(time.Millisecond)
}

func (w *world) draw() string { w.draws++; return fmt.Sprintf("w%d", w.draws) }

func (w *world) jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(w.rng.Int64N(int64(d)))
}

// note writes a line of the trace.
func (w *world) note(format string, args ...any) {
	fmt.Fprintf(&w.trace, "%4d %s ", w.step, w.now.Sub(epoch))
	fmt.Fprintf(&w.trace, format, args...)
	w.trace.WriteByte('\n')
}

// fail keeps the first broken invariant.
func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("step %d: "+format, append([]any{w.step}, args...)...)
		w.note("BROKEN: "+format, args...)
	}
}

func (w *world) drawFault(route string) string {
	if w.calm || !w.chance(w.netChance) {
		return ""
	}
	f := faults[w.rng.IntN(len(faults))]
	if !fits(f, route) {
		return ""
	}
	w.tally.hit(f, route)
	return f
}

var redisFaults = []string{redisBefore, redisAfter, redisAfter, redisLoading, redisReadonly, redisOOM}

func (w *world) drawRedisFault(what string) string {
	if w.calm || !w.chance(w.redisChance) {
		return ""
	}
	f := redisFaults[w.rng.IntN(len(redisFaults))]
	w.tally.hit(f, "redis")
	return f
}

// choice is something that may happen next.
type choice struct {
	weight int64
	do     func()
}

// steps lets so many things happen, or stops at the first broken invariant.
func (w *world) steps(n int) {
	for range n {
		if w.err != nil {
			return
		}
		w.step++
		w.lose()
		w.once()
		w.beat()
		w.watch.look()
	}
}

func (w *world) once() {
	options := w.options()
	if len(options) == 0 {
		w.passTime()
		return
	}
	total := int64(0)
	for _, o := range options {
		total += o.weight
	}
	n := w.rng.Int64N(total)
	for _, o := range options {
		if n < o.weight {
			o.do()
			return
		}
		n -= o.weight
	}
}

// options are what may happen now.
func (w *world) options() []choice {
	var out []choice
	for _, a := range w.ready() {
		out = append(out, choice{100, func() { w.goOn(a) }})
	}
	for _, p := range w.wire {
		if !p.due.IsZero() && !p.due.After(w.now) {
			out = append(out, choice{80, func() { w.deliver(p) }})
		}
	}
	for _, r := range w.runners {
		if r.stopped.After(w.now) {
			continue
		}
		for _, a := range r.actors {
			switch {
			case a.busy:
			case !w.calm:
				out = append(out, choice{50, func() { w.employ(a) }})
			default:
				out = w.calmly(out, a)
			}
		}
	}
	if w.tail != nil {
		out = w.guarding(out)
	}
	if w.calm {
		return out
	}
	out = append(out, choice{40, w.tick}, choice{35, w.workers})
	if !alone(w.seed) {
		out = append(out, choice{12, w.website})
	}
	if len(w.watch.ops) < 30 {
		out = append(out, choice{70, w.plan})
	}
	if !w.operator.busy {
		out = append(out, choice{25, w.person})
	}
	if w.tail != nil {
		out = append(out, choice{3, w.leave})
	}
	return append(out, choice{6, w.killOne}, choice{4, w.suspend}, choice{3, w.stepClock}, choice{4, w.restartRedis})
}

// ready are the actors that could go on.
func (w *world) ready() []*actor {
	var out []*actor
	for _, r := range w.runners {
		if !r.stopped.After(w.now) {
			for _, a := range r.proc.crew {
				out = w.ifReady(out, a)
			}
		}
	}
	return w.ifReady(out, w.operator)
}

func (w *world) ifReady(out []*actor, a *actor) []*actor {
	if a.busy && (a.redis != nil || (a.packet != nil && a.packet.answered(w.now))) {
		return append(out, a)
	}
	return out
}

func (w *world) goOn(a *actor) {
	switch {
	case a.redis != nil:
		a.redis.fault = w.drawRedisFault(a.redis.what)
		w.note("%s: %s %s", a.name, a.redis.what, a.redis.fault)
	case a.packet != nil:
		w.note("%s: hears of #%d %s", a.name, a.packet.number, a.packet.fault)
		if a.packet.due.IsZero() {
			w.drop(a.packet)
		}
		if w.calm { // requests take their time
			w.advance(w.now.Add(250 * time.Millisecond))
		}
	}
	w.run(a, a.resume)
}

// run lets an actor run, and tells how its job ended.
func (w *world) run(a *actor, do func()) {
	job := a.job
	do()
	if !a.busy && job == a.job {
		w.note("%s: done with %s (%v)", a.name, job, a.err)
		a.job = ""
	}
}

func (w *world) drop(p *packet) {
	w.wire = slices.DeleteFunc(w.wire, func(q *packet) bool { return q == p })
}

// tick lets a little time pass, and now and then a lot.
func (w *world) tick() {
	d := w.span(50*time.Millisecond, 3*time.Second)
	if w.chance(60) && !w.restless() {
		d = w.span(time.Second, 5*time.Minute)
	}
	w.advance(w.now.Add(d))
}

// passTime goes to the next moment at which something can happen.
func (w *world) passTime() {
	next := time.Time{}
	sooner := func(t time.Time) {
		if t.After(w.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, p := range w.wire {
		sooner(p.due)
		sooner(p.told)
	}
	for _, r := range w.runners {
		sooner(r.stopped)
		if w.restless() {
			sooner(r.proc.looked.Add(500 * time.Millisecond))
			sooner(r.proc.looked.Add(3 * time.Second))
		}
	}
	for _, s := range []planner.State{planner.Queued, planner.Unknown, planner.Sending} {
		for _, z := range w.waiting(s) {
			if z.Score < 8e12 { // what is held waits for a person
				for _, r := range w.runners {
					sooner(time.UnixMilli(int64(z.Score)).Add(-r.ahead).UTC())
				}
			}
		}
	}
	if next.IsZero() {
		next = w.now.Add(time.Second)
	}
	w.advance(next)
}

// advance moves the true time; what must have arrived by then arrives.
func (w *world) advance(to time.Time) {
	for {
		var first *packet
		for _, p := range w.wire {
			if !p.due.IsZero() && !p.by.After(to) && (first == nil || p.by.Before(first.by)) {
				first = p
			}
		}
		if first == nil {
			break
		}
		if first.by.After(w.now) {
			w.now = first.by
		}
		w.deliver(first)
	}
	w.now = to
	w.box.Tick()
	w.note("time passes")
	w.beat()
}

// employ gives an idle worker one thing to do, as its queues and tickers would.
func (w *world) employ(a *actor) {
	switch n := w.rng.IntN(100); {
	case n < 10:
		w.sweep(a, w.open(planner.Sending, a.now()))
	case n < 14:
		w.note("%s: enforces latches", a.name)
		w.run(a, func() {
			a.start("latches", func(ctx context.Context) error { _, err := a.exec.EnforceLatches(ctx); return err })
		})
	case n < 18:
		w.note("%s: polls", a.name)
		w.run(a, func() { a.start("poll", a.watch.Poll) })
	case n < 21:
		w.note("%s: reads the balance", a.name)
		w.run(a, func() {
			a.start("balance", func(ctx context.Context) error { _, err := a.exec.Balance(ctx); return err })
		})
	default:
		if due := w.due(a, w.chance(100)); len(due) > 0 {
			w.perform(a, due[w.rng.IntN(len(due))])
		}
	}
}

// calmly offers an idle worker what is due, and nothing else.
func (w *world) calmly(out []choice, a *actor) []choice {
	if left := w.open(planner.Sending, a.now()); len(left) > 0 {
		out = append(out, choice{50, func() { w.sweep(a, left) }})
	}
	if due := w.due(a, false); len(due) > 0 {
		out = append(out, choice{50, func() { w.perform(a, due[w.rng.IntN(len(due))]) }})
	}
	return out
}

// due are the operations that a worker may take up; twice tells whether also
// those that another has in hand, as a task may be delivered twice.
func (w *world) due(a *actor, twice bool) []string {
	due := append(w.open(planner.Queued, a.now()), w.open(planner.Unknown, a.now())...)
	if !twice {
		due = slices.DeleteFunc(due, w.inHand)
	}
	return due
}

func (w *world) sweep(a *actor, ids []string) {
	w.note("%s: sweeps %v", a.name, ids)
	w.run(a, func() {
		a.start("sweep", func(ctx context.Context) error { _, err := a.exec.Abandoned(ctx, ids); return err })
	})
}

func (w *world) perform(a *actor, id string) {
	op, err := w.books.Get(context.Background(), id)
	must(err)
	w.note("%s: performs %s, which is %s", a.name, id, op.State)
	a.op, a.kind = id, op.Kind
	w.run(a, func() {
		a.start("perform "+id, func(ctx context.Context) error { _, err := a.exec.Perform(ctx, []string{id}); return err })
	})
}

// open lists what is in a state and due by a clock.
func (w *world) open(s planner.State, now time.Time) []string {
	var ids []string
	for _, z := range w.waiting(s) {
		if z.Score > float64(now.UnixMilli()) {
			break
		}
		id, _ := z.Member.(string)
		ids = append(ids, id)
	}
	return ids
}

// waiting lists what is in a state, with when it is due. It is read once after
// each change.
func (w *world) waiting(s planner.State) []redis.Z {
	rows, read := w.lists[s]
	if !read {
		var err error
		rows, err = w.rdb.ZRangeWithScores(context.Background(), prefix+"open:"+string(s), 0, -1).Result()
		must(err)
		w.lists[s] = rows
	}
	return rows
}

func (w *world) inHand(id string) bool {
	for _, r := range w.runners {
		for _, a := range r.actors {
			if a.op == id {
				return true
			}
		}
	}
	return false
}

// plan writes what an action of a campaign is to do now.
func (w *world) plan() {
	ctx := context.Background()
	c := w.specs[w.rng.IntN(len(w.specs))]
	if w.tail != nil && w.watch.spec(c.Name) == nil {
		return // nobody plans for what is not registered
	}
	a := &c.Actions[w.rng.IntN(len(c.Actions))]
	if !w.begun && w.chance(250) {
		a = &c.Actions[0]
	}
	if w.chance(200) {
		w.planRating(c)
		return
	}
	jobs, err := w.books.Jobs(ctx, c.Name)
	must(err)
	resumes := int64(250)
	if endsEarly(w.seed) {
		resumes = 700
	}
	if slices.ContainsFunc(jobs, func(j journal.Job) bool { return j.Status == journal.JobFinished }) && w.chance(resumes) {
		a = &c.Actions[slices.IndexFunc(c.Actions, func(a campaigns.Action) bool { return a.Do == campaigns.DoResume })]
	}
	ops := planner.Expand(c, a, w.now.Truncate(time.Second), journal.Views(jobs))
	w.rng.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	ops = ops[:min(len(ops), 1+w.rng.IntN(2))]
	ids, err := w.books.Create(ctx, w.now, nil, journal.Queue(ops))
	must(err)
	w.dirty = true
	w.note("planned: %s", strings.Join(ids, " "))
}

func (w *world) planRating(c *campaigns.Campaign) {
	ctx := context.Background()
	jobs, err := w.books.Jobs(ctx, c.Name)
	must(err)
	for _, job := range jobs {
		for a, err := range w.direct.AllApplications(ctx, job.ID, api.Pending) {
			if err != nil {
				return // the job was deleted
			}
			verdict := []campaigns.Verdict{campaigns.Approve, campaigns.Decline, campaigns.Redo}[w.rng.IntN(3)]
			op := planner.OnApplication(c.Name, "rate", job.Item, job.ID, planner.Rating{
				ApplicationID: a.ID, Verdict: verdict, Reason: "because", Proof: executor.ProofDigest(a),
			}, a.AppliedAt)
			ids, err := w.books.Create(ctx, w.now, nil, journal.Queue([]planner.Operation{op}))
			must(err)
			w.dirty = true
			w.note("planned: %s", strings.Join(ids, " "))
			if len(ids) > 0 {
				return
			}
		}
	}
}

// directly is an executor that no fault befalls.
func (w *world) directly() *executor.Executor {
	return executor.New(executor.Config{
		Journal: w.books, Market: w.direct, Now: func() time.Time { return w.now }, Draw: w.draw, Jitter: w.jitter,
		Log: slog.New(slog.DiscardHandler), SettleAfter: settleAfter,
	})
}

// scriptNames tells the journal's scripts by their digests, for the trace.
var scriptNames = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	common, err := os.ReadFile("../journal/common.lua")
	must(err)
	files, err := filepath.Glob("../journal/*.lua")
	must(err)
	for _, f := range files {
		body, err := os.ReadFile(f)
		must(err)
		out[redis.NewScript(string(common)+"\n"+string(body)).Hash()] = strings.TrimSuffix(filepath.Base(f), ".lua")
	}
	return out
})
