package simtest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// process is one life of a runner, from its start to its end.
type process struct {
	dead  bool
	guard *sendlog.Guard
	// keeper looks after the send log; crew are it and the workers.
	keeper *actor
	crew   []*actor
	// id and holder are what the journals follow.
	id, holder string
	// server is the Redis that its connections lead to, and looked when its send
	// log was last compared with it.
	server string
	looked time.Time
}

// oneJournal has the workers' journals know what one of them is told: a process
// has one journal, and here each worker has its own, to wait by itself.
type oneJournal struct {
	*journal.Journal
	p *process
}

func (j oneJournal) Follow(id, holder string, seq int64) {
	j.p.id, j.p.holder = id, holder
	for _, a := range j.p.crew {
		a.books.Follow(id, holder, seq)
	}
}

func (j oneJournal) Known() int64 { return j.p.known() }

func (p *process) known() int64 {
	high := int64(0)
	for _, a := range p.crew {
		high = max(high, a.books.Known())
	}
	return high
}

// staff starts a process of a runner: first its send log, then its workers.
func (w *world) staff(r *runner) {
	r.born++
	r.actors = nil
	r.proc = &process{}
	r.proc.keeper = w.newActor(r, r.name+"/log")
	r.proc.crew = []*actor{r.proc.keeper}
	if w.tail == nil || w.step == 0 {
		w.atOnce(func() { w.openLog(r); w.compare(r) })
	}
}

// atOnce lets something happen with no fault and nothing else in between.
func (w *world) atOnce(do func()) {
	w.smooth = true
	do()
	w.smooth = false
}

// openLog opens the send log of a process.
func (w *world) openLog(r *runner) {
	p := r.proc
	p.looked = w.now
	w.run(p.keeper, func() {
		p.keeper.start("open the send log", func(ctx context.Context) error {
			g, err := sendlog.Start(ctx, sendlog.Config{
				Disk: folder{r.disk, p}, Journal: oneJournal{p.keeper.books, p}, Address: "redis", Name: r.name,
				Incarnation: p.keeper.books.Incarnation, Now: p.keeper.now, Draw: w.draw,
				Log: slog.New(slog.DiscardHandler), Spawn: func(write func()) { write() },
			})
			if err != nil {
				return err
			}
			p.guard = g
			g.Doubt("the send log was just opened: it is compared once more")
			high := p.known()
			for i := range 2 {
				a := w.newActor(r, fmt.Sprintf("%s/%d", r.name, i))
				a.books.Follow(p.id, p.holder, high)
				r.actors, p.crew = append(r.actors, a), append(p.crew, a)
			}
			return nil
		})
	})
}

// compare has a process compare its send log with Redis.
func (w *world) compare(r *runner) {
	p := r.proc
	p.looked = w.now
	if !w.smooth {
		w.note("%s: compares its log, held: %q", p.keeper.name, p.guard.Frozen())
	}
	w.run(p.keeper, func() { p.keeper.start("compare the send log", p.guard.Tick) })
}

// doubtful tells that a process has a reason to compare its log soon.
func (w *world) doubtful(p *process) bool { return p.server != w.server || p.guard.Frozen() != "" }

// overdue tells that a process looks at its log now, as its timer would.
func (w *world) overdue(r *runner) bool {
	every := 3 * time.Second
	if w.doubtful(r.proc) {
		every = 500 * time.Millisecond
	}
	return !w.now.Before(r.proc.looked.Add(every))
}

// beat lets the processes compare their logs that have no reason for doubt.
// Where the tail of Redis is never lost, it also ends the doubt of others.
func (w *world) beat() {
	for _, r := range w.runners {
		p := r.proc
		if p.guard == nil || p.keeper.busy || r.stopped.After(w.now) {
			continue
		}
		switch {
		case w.tail == nil:
			if p.guard.Frozen() != "" {
				w.atOnce(func() { w.compare(r) })
			}
		case !w.calm && !w.doubtful(p) && w.overdue(r) && !w.tail.chance(50):
			w.atOnce(func() { w.compare(r) })
		}
	}
}

// connect is the first use of a connection.
func (a *actor) connect() {
	if p := a.proc; p != nil && p.server != a.w.server {
		p.server = a.w.server
		if p.guard != nil {
			p.guard.Connected(p.server)
		}
	}
}

// Where a script's arguments begin, and which of them is the highest number
// that the process was given.
const (
	firstArg       = 4
	knownOfBegin   = firstArg + 15
	knownOfPage    = firstArg + 2
	attemptOfBegin = 1
)

// sign tells a begin what the whole process knows by the time it leaves.
func (h redisHook) sign(cmds []redis.Cmder) {
	if h.a.proc == nil || h.a.proc.holder == "" {
		return
	}
	for _, cmd := range cmds {
		switch h.scriptOf(cmd) {
		case "begin":
			cmd.Args()[knownOfBegin] = h.a.proc.known()
		case "beginpage":
			cmd.Args()[knownOfPage] = h.a.proc.known()
		}
	}
}

func (h redisHook) scriptOf(cmd redis.Cmder) string {
	if cmd.Name() != "evalsha" {
		return ""
	}
	sha, _ := cmd.Args()[1].(string)
	return h.a.w.scripts[sha]
}

// heed notes the attempts that were let through.
func (h redisHook) heed(cmds []redis.Cmder) {
	for _, cmd := range cmds {
		c, script := cmd.(*redis.Cmd)
		if !script || h.scriptOf(cmd) != "begin" {
			continue
		}
		out, err := c.Slice()
		if err != nil || out[0] != "ok" {
			continue
		}
		n, err := strconv.Atoi(fmt.Sprint(out[attemptOfBegin]))
		must(err)
		id := fmt.Sprint(cmd.Args()[firstArg])
		given := h.a.w.watch.given
		given[id] = max(given[id], n)
	}
}

// exit ends a process; power, where its machine has no other one, takes what was
// not synced.
func (w *world) exit(r *runner, power bool) {
	for _, other := range w.runners {
		power = power && (other == r || other.disk != r.disk)
	}
	r.proc.dead = true
	r.disk.died(r.proc, power)
	for _, a := range r.proc.crew {
		a.kill()
	}
}

// leave ends a process as a signal does, where nothing is on its way.
func (w *world) leave() {
	r := w.runners[w.tail.rng.IntN(len(w.runners))]
	if r.proc.guard == nil || slices.ContainsFunc(r.proc.crew, func(a *actor) bool { return a.busy }) || r.stopped.After(w.now) {
		return
	}
	w.note("%s stops by itself", r.name)
	w.tally.hit("stop by itself", "process")
	w.atOnce(func() { w.run(r.proc.keeper, func() { r.proc.keeper.start("leave", r.proc.guard.Close) }) })
	w.exit(r, false)
	w.staff(r)
}
