package simtest

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// tail is what is lost of Redis in a run. Its chance is its own, so that the
// runs without it stay as they are.
type tail struct {
	rng    *rand.Rand
	losses []*loss
	// frozen are the holders for whom nothing is sent, and tries the recoveries
	// that did not end that.
	frozen []string
	tries  int
}

// loss is a Redis that goes back at a step to what it was at an earlier one.
type loss struct {
	from, at int
	backup   *memory.Backup
	what     string
}

// loses tells which seeds lose the tail of Redis.
func loses(seed uint64) bool { return seed%3 == 1 }

func (t *tail) chance(permille int64) bool { return t.rng.Int64N(1000) < permille }

// expect draws when Redis loses its tail, and how much of it.
func (t *tail) expect(steps int) {
	for range 1 + t.rng.IntN(3) {
		l := &loss{at: 10 + t.rng.IntN(max(1, steps-10))}
		switch n := t.rng.IntN(100); {
		case n < 55:
			l.from, l.what = l.at-1-t.rng.IntN(8), "few steps"
		case n < 85:
			l.from, l.what = l.at-1-t.rng.IntN(100), "many steps"
		default:
			l.from, l.what = -1, "everything"
		}
		if l.from < 1 && l.what != "everything" {
			l.from = 1
		}
		t.losses = append(t.losses, l)
	}
}

// loseSoon has Redis lose, within a few steps, all from the begin on that is
// about to be let through.
func (w *world) loseSoon() {
	if w.tail == nil || w.calm || w.smooth || !w.tail.chance(120) {
		return
	}
	w.tail.losses = append(w.tail.losses, &loss{
		from: w.step, at: w.step + 1 + w.tail.rng.IntN(8), what: "a send", backup: w.redis.Backup(),
	})
}

// lose copies and loses what is due at this step.
func (w *world) lose() {
	if w.tail == nil || w.calm {
		return
	}
	for _, l := range w.tail.losses {
		if l.from == w.step && l.backup == nil {
			l.backup = w.redis.Backup()
		}
		if l.at == w.step {
			w.tally.hit("tail lost: "+l.what, "redis")
			w.note("redis loses what was written since step %d: %s", l.from, l.what)
			w.redis.Load(l.backup)
			w.watch.rewind()
			w.reconnect()
		}
	}
}

// reconnect begins a new Redis: connections break, and lead to it from now on.
func (w *world) reconnect() {
	info, err := w.rdb.Info(context.Background()).Result()
	must(err)
	w.server = journal.IncarnationOf(info)
	for _, r := range w.runners {
		for _, a := range r.proc.crew {
			w.cut(a)
		}
	}
	w.cut(w.operator)
}

func (w *world) cut(a *actor) {
	if a.redis != nil && w.tail.chance(500) {
		a.redis.cut = true
	}
}

// guarding are the choices that come of the send logs.
func (w *world) guarding(out []choice) []choice {
	for _, r := range w.runners {
		switch p := r.proc; {
		case r.stopped.After(w.now) || p.keeper.busy:
		case p.guard == nil:
			out = append(out, choice{60, func() { w.openLog(r) }})
		case (!w.calm || w.restless()) && w.overdue(r):
			out = append(out, choice{60, func() { w.compare(r) }})
		}
	}
	if !w.operator.busy && (len(w.tail.frozen) > 0 || w.calm && len(w.forgotten()) > 0) {
		out = append(out, choice{20, w.recover})
	}
	return out
}

// restless tells that a process is about to compare its log: that takes no
// minutes.
func (w *world) restless() bool {
	for _, r := range w.runners {
		if w.tail != nil && !r.stopped.After(w.now) && (r.proc.keeper.busy || r.proc.guard == nil || w.doubtful(r.proc)) {
			return true
		}
	}
	return false
}

// forgotten are the campaigns that a person finds are not as they were applied.
func (w *world) forgotten() []*campaigns.Campaign {
	var out []*campaigns.Campaign
	for _, c := range w.specs {
		if now := w.watch.spec(c.Name); now == nil || now.Digest() != c.Digest() {
			out = append(out, c)
		}
	}
	return out
}

// recover is a person who runs `enqueue recover` on the host of a runner that
// found the loss, with the logs of the others at hand or without, and applies
// the files again that are not as they were.
func (w *world) recover() {
	a := w.operator
	o := w.commands(a.books, a.market, a.exec, a.now)
	w.tail.tries++
	in, err := w.logs()
	must(err)
	file := &campaigns.File{Source: "file"}
	for _, c := range w.specs {
		file.Campaigns = append(file.Campaigns, *c)
	}
	w.note("person: recovers from %d logs and %d of elsewhere; frozen: %v", len(in.Logs), len(in.Given), w.tail.frozen)
	w.tally.hit("recover", "person")
	w.run(a, func() {
		a.start(recovering, func(ctx context.Context) error {
			if err := w.recoverAll(ctx, o, in, file); err != nil {
				return err
			}
			for _, c := range w.forgotten() {
				if err := a.books.Register(ctx, a.now(), c); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

const recovering = "recover"

// recoverAll is what the command does.
func (w *world) recoverAll(ctx context.Context, o *operator.Operator, in operator.Sends, file *campaigns.File) error {
	done, err := o.Restore(ctx, in, []*campaigns.File{file})
	for _, row := range done.Sends {
		w.note("  %s, attempt %d: %s, %s", row.Op, row.Attempt, row.Outcome, row.Amount)
		w.tally.hit("recovered as "+row.Outcome, "send")
	}
	for _, row := range done.Jobs {
		if row.Outcome != "known" {
			w.note("  job %d: %s, %s", row.JobID, row.Outcome, row.Cost)
		}
		w.tally.hit("recovered as "+row.Outcome, "job")
	}
	if err == nil && len(done.Frozen) == 0 {
		w.tail.tries = 0
	}
	return err
}

// logs are what the person has of send logs.
func (w *world) logs() (operator.Sends, error) {
	at := w.runners[w.tail.rng.IntN(len(w.runners))].disk
	for _, r := range w.runners {
		for _, holder := range w.tail.frozen {
			if r.disk.files[holder+".log"] != nil {
				at = r.disk
			}
		}
	}
	in := operator.Sends{}
	var err error
	if in.Logs, err = sendlog.ReadAll(folder{disk: at}); err != nil {
		return in, err
	}
	if in.Journal, err = sendlog.Anchored(folder{disk: at}, "redis"); err != nil {
		return in, err
	}
	if w.tail.tries == 1 && w.tail.chance(300) {
		return in, nil
	}
	seen := map[*disk]bool{at: true}
	for _, r := range w.runners {
		if !seen[r.disk] {
			seen[r.disk] = true
			more, err := sendlog.ReadAll(folder{disk: r.disk})
			if err != nil {
				return in, err
			}
			in.Given = append(in.Given, more...)
		}
	}
	return in, nil
}

// judgeTail tells what was lost and what was found again. Two hundred runs must
// have met each of it.
func (t *tally) judgeTail(tb testing.TB, seeds int) {
	lost := []string{"tail lost: a send redis", "tail lost: few steps redis", "tail lost: many steps redis", "tail lost: everything redis"}
	found := []string{"recovered as unknown send", "recovered as applied send", "frozen steps", "recover person", "kill process"}
	for _, what := range slices.Concat(lost, found) {
		if seeds >= 200 && t.hits[what] == 0 {
			tb.Errorf("it never happened: %s", what)
		}
	}
	tb.Logf("Redis lost its latest writes %d times, %d of them all: %d sends were written anew as unknown and %d as they ended, "+
		"%d were made again, %d jobs were found by their markers, in %d recoveries; disks failed %d times",
		t.hits[lost[0]]+t.hits[lost[1]]+t.hits[lost[2]]+t.hits[lost[3]], t.hits[lost[3]], t.hits[found[0]],
		t.hits[found[1]]+t.hits["recovered as rejected send"]+t.hits["recovered as queued send"],
		t.hits["recovered as twice send"], t.hits["recovered as recovered job"], t.hits["recover person"],
		t.hits["disk write"]+t.hits["disk fsync"]+t.hits["disk rename"])
}

// rewind forgets what the last step was compared with.
func (c *watch) rewind() {
	c.rewound = true
	clear(c.held)
	for _, t := range c.ops {
		t.state, t.attempts = "", 0
	}
	c.w.dirty = true
	clear(c.w.lists)
}

// guessed tells that a create was booked by the marker in its job, at what such
// seats cost: the person had not brought the log that knows it to the cent.
func (c *watch) guessed(id string) bool {
	return c.w.tail != nil && c.w.rdb.HExists(context.Background(), prefix+"op:"+id, "rc").Val()
}

// freezes reads for whom nothing is sent.
func (c *watch) freezes() {
	if c.w.tail == nil {
		return
	}
	frozen, err := c.w.books.Frozen(context.Background())
	must(err)
	c.w.tail.frozen = nil
	for _, f := range frozen {
		c.w.tail.frozen = append(c.w.tail.frozen, f.Holder)
	}
	if len(frozen) > 0 {
		c.w.tally.hit("frozen", "steps")
	}
}

// remembered checks in the end that the journal knows all that was done.
func (c *watch) remembered() {
	for _, id := range c.order {
		t := c.ops[id]
		if !t.Kind.Paying() || t.effects == 0 {
			continue
		}
		op, err := c.w.books.Get(context.Background(), id)
		if err != nil {
			c.w.fail("%s was done for %s, and the journal lost it: %v", id, t.charged, err)
			continue
		}
		if op.Attempts < c.given[id] || op.State != planner.Applied && op.State != planner.Parked {
			c.w.fail("%s was done for %s, and is %s after %d attempts of %d", id, t.charged, op.State, op.Attempts, c.given[id])
		}
	}
}

// thawed waits until sends go on, and the campaigns are as they were applied.
func (w *world) thawed() {
	for n := 0; w.err == nil && (len(w.tail.frozen) > 0 || len(w.forgotten()) > 0 || w.operator.busy || w.restless()); n++ {
		w.steps(1)
		if n > restSteps {
			w.fail("nobody ends the freeze of %v", w.tail.frozen)
		}
	}
}
