package simtest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// noQueue stands for the queues: the workers find what is due in the journal.
type noQueue struct{}

func (noQueue) Enqueue(context.Context, []executor.Next) error            { return nil }
func (noQueue) Review(context.Context, journal.Review) error              { return nil }
func (noQueue) Fire(context.Context, string) ([]planner.Operation, error) { return nil, nil }

// commands are the commands of a person, on an actor or straight.
func (w *world) commands(books *journal.Journal, m operator.Marketplace, e operator.Executor, now func() time.Time) *operator.Operator {
	return operator.New(operator.Config{
		Journal: books, Market: m, Executor: e, Scheduler: noQueue{}, Queue: noQueue{}, Now: now,
		Log: slog.New(slog.DiscardHandler), Draw: w.draw, SettleAfter: settleAfter,
	})
}

// person is somebody at the command line.
func (w *world) person() {
	a := w.operator
	o := w.commands(a.books, a.market, a.exec, a.now)
	name := w.specs[w.rng.IntN(len(w.specs))].Name
	say := func(what string, do func(ctx context.Context) error) {
		w.note("person: %s", what)
		w.run(a, func() { a.start(what, do) })
	}
	keep := w.chance(500)
	switch n := w.rng.IntN(100); {
	case n < 15:
		say(fmt.Sprintf("pause %s, keep jobs: %t", name, keep), func(ctx context.Context) error {
			_, err := o.Pause(ctx, name, "", keep)
			return err
		})
	case n < 40:
		say("resume "+name, func(ctx context.Context) error { _, err := o.Resume(ctx, name); return err })
	case n < 45:
		say("stop", func(ctx context.Context) error { _, err := o.StopAll(ctx, ""); return err })
	case n < 60:
		say("go on", func(ctx context.Context) error { _, err := o.ResumeAll(ctx); return err })
	case n < 70:
		say("audit", func(ctx context.Context) error { _, err := o.Reconcile(ctx); return err })
	case n < 80:
		w.edit(say)
	case n < 90:
		if id := w.anyIn(planner.Rejected, planner.Skipped, planner.Canceled); id != "" {
			say("retry "+id, func(ctx context.Context) error { _, err := o.Retry(ctx, id); return err })
		}
	default:
		w.resolve(o, say)
	}
}

func (w *world) anyIn(states ...planner.State) string {
	var in []string
	for _, id := range w.watch.order {
		for _, s := range states {
			if w.watch.ops[id].state == s {
				in = append(in, id)
			}
		}
	}
	if len(in) == 0 {
		return ""
	}
	return in[w.rng.IntN(len(in))]
}

// resolve is a person who looked at the marketplace and tells what is there.
func (w *world) resolve(o *operator.Operator, say func(string, func(context.Context) error)) {
	id := w.anyIn(planner.Parked)
	if id == "" || w.outstanding(id) {
		return
	}
	t := w.watch.ops[id]
	word := operator.Word{Applied: t.effects > 0, JobID: t.job, Retry: w.chance(500)}
	if word.Applied && t.Kind.Paying() {
		word.Cost = &t.charged
	}
	if t.Kind != planner.Create {
		word.JobID = 0
	}
	say(fmt.Sprintf("resolve %s, done: %t", id, word.Applied), func(ctx context.Context) error {
		_, err := o.Resolve(ctx, id, word)
		return err
	})
}

// outstanding tells whether a request of an operation may still arrive.
func (w *world) outstanding(id string) bool {
	for _, p := range w.wire {
		if p.op == id && !p.due.IsZero() {
			return true
		}
	}
	return false
}

// edit applies a spec in which a budget was changed.
func (w *world) edit(say func(string, func(context.Context) error)) {
	i := w.rng.IntN(len(w.specs))
	c := *w.specs[i]
	if c.Budget == nil {
		c.Budget = w.budget()
	} else {
		b := *c.Budget
		b.Cap = money.USD(w.rng.Int64N(8)+1) * money.Dollar
		b.PauseAt = min(b.PauseAt, b.Cap)
		c.Budget = &b
	}
	w.known[c.Digest()] = &c
	w.specs[i] = &c
	a := w.operator
	say(fmt.Sprintf("apply %s with a cap of %s", c.Name, c.Budget.Cap), func(ctx context.Context) error {
		return a.books.Register(ctx, a.now(), &c)
	})
}

// website is somebody on the marketplace's website.
func (w *world) website() {
	jobs := w.box.Books().Jobs
	if len(jobs) == 0 || w.chance(150) {
		amount := money.USD(w.rng.Int64N(6)-2) * money.Dollar
		w.note("website: deposit %s", amount)
		w.box.Deposit(amount)
		return
	}
	id := jobs[w.rng.IntN(len(jobs))].JobID
	if _, there := w.box.Job(id); !there {
		return
	}
	switch n := w.rng.IntN(100); {
	case n < 40:
		w.note("website: edits the title of %d", id)
		must(w.box.EditJob(id, func(j *sandbox.Job) { j.Title += "!" }))
	case n < 45:
		w.note("website: edits the marker of %d away", id)
		w.touch(id)
		must(w.box.EditJob(id, func(j *sandbox.Job) { j.Expected = []string{"Type each word."} }))
	case n < 65:
		w.note("website: finishes %d", id)
		w.touch(id)
		must(w.box.FinishJob(id))
	case n < 80:
		if w.lane(id) {
			return // the assumption that docs/safety.md states
		}
		w.touch(id)
		w.note("website: buys seats of %d: %v", id, w.box.BuySeats(id, 7))
	case n < 97:
		made, err := w.box.AddJob(sandbox.Job{})
		w.note("website: makes a job: %d %v", made, err)
	default:
		if w.lane(id) || !w.booked(id) || w.tail != nil {
			return // as above: what is in doubt is left alone, or may be again
		}
		w.note("website: deletes %d", id)
		w.touch(id)
		must(w.box.DeleteJob(id))
	}
}

// touch notes that a person is at a job.
func (w *world) touch(job int64) {
	w.watch.touched[job] = true
	if holder := w.rdb.HGet(context.Background(), fmt.Sprintf("%sjob:%d", prefix, job), "lane").Val(); holder != "" {
		w.watch.meddled[holder] = true // what was bought and is in doubt goes back with a job that is finished
	}
	for _, t := range w.watch.ops {
		if t.Kind == planner.Pause && (t.state == planner.Sending || t.state == planner.Unknown) {
			w.watch.disturbed = true // its refund is measured, and this one's money is in it
		}
	}
	for _, r := range w.runners {
		for _, a := range r.proc.crew {
			if t := w.watch.ops[a.op]; a.busy && t != nil && t.JobID == job {
				w.watch.meddled[a.op] = true
			}
		}
	}
}

func (w *world) booked(job int64) bool {
	n, err := w.rdb.Exists(context.Background(), fmt.Sprintf("%sjob:%d", prefix, job)).Result()
	must(err)
	return n == 1
}

// lane tells whether an operation holds a job.
func (w *world) lane(job int64) bool {
	held, err := w.rdb.HExists(context.Background(), fmt.Sprintf("%sjob:%d", prefix, job), "lane").Result()
	must(err)
	return held
}

// workers fill seats and hand in again.
func (w *world) workers() {
	jobs := w.box.Books().Jobs
	if len(jobs) == 0 {
		return
	}
	id := jobs[w.rng.IntN(len(jobs))].JobID
	n := 1 + w.rng.IntN(3)
	apps, err := w.box.AddApplications(id, n)
	w.note("workers: %d apply to %d: %v %v", n, id, apps, err)
}

// killOne ends a process at whatever it was doing, and starts another.
func (w *world) killOne() {
	r := w.runners[w.rng.IntN(len(w.runners))]
	w.note("%s is killed", r.name)
	w.tally.hit("kill", "process")
	for _, a := range r.proc.crew {
		if a.busy {
			w.tally.hit("kill", a.at())
		}
	}
	w.exit(r, w.tail != nil && w.tail.chance(200))
	r.stopped = time.Time{}
	w.staff(r)
}

// at tells what an actor waits for.
func (a *actor) at() string {
	switch {
	case a.redis != nil:
		return a.redis.what
	case a.packet != nil && a.packet.delivered:
		return a.packet.route + " done"
	case a.packet != nil:
		return a.packet.route
	}
	return "idle"
}

// suspend stops a process for longer than its requests may take.
func (w *world) suspend() {
	r := w.runners[w.rng.IntN(len(w.runners))]
	r.stopped = w.now.Add(w.span(15*time.Second, 10*time.Minute))
	w.tally.hit("stop", "process")
	w.note("%s is suspended until %s", r.name, r.stopped.Sub(epoch))
}

// stepClock sets a machine's clock.
func (w *world) stepClock() {
	r := w.runners[w.rng.IntN(len(w.runners))]
	r.ahead = []time.Duration{0, w.span(-time.Hour, time.Hour), w.span(-time.Minute, time.Minute)}[w.rng.IntN(3)]
	w.tally.hit("clock", "process")
	w.note("%s's clock is %s ahead", r.name, r.ahead)
}

// restartRedis ends Redis and starts it from its log, which has everything.
func (w *world) restartRedis() {
	w.tally.hit("restart", "redis")
	w.note("redis restarts")
	if w.tail == nil {
		must(w.rdb.ScriptFlush(context.Background()).Err())
		return
	}
	w.redis.Load(w.redis.Backup())
	w.reconnect()
}
