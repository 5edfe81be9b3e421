package sendlog_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// recover is `enqueue recover` on a runner's host, with logs from elsewhere and
// without others.
func (n *runner) recover(given []*runner, without ...string) []operator.SendRecovery {
	n.r.t.Helper()
	o := operator.New(operator.Config{Journal: n.books, Now: n.r.clock, Log: slog.New(slog.DiscardHandler), Draw: n.r.draw})
	logs := func(n *runner) []sendlog.Contents {
		all, err := sendlog.ReadAll(sendlog.OS(n.dir))
		n.r.must(err)
		return all
	}
	in := operator.Sends{Logs: logs(n), Without: without}
	for _, other := range given {
		in.Given = append(in.Given, logs(other)...)
	}
	var err error
	in.Journal, err = sendlog.Anchored(sendlog.OS(n.dir), "redis")
	n.r.must(err)
	rows, err := o.RecoverSends(context.Background(), in)
	n.r.must(err)
	again, err := o.RecoverSends(context.Background(), in)
	n.r.must(err)
	for _, row := range again {
		if row.Outcome != "twice" {
			n.r.t.Errorf("a second recovery wrote %+v", row)
		}
	}
	_, err = o.Restore(context.Background(), in, nil)
	n.r.must(err)
	return rows
}

func (n *runner) state(op *journal.Op) planner.State {
	n.r.t.Helper()
	got, err := n.books.Get(context.Background(), op.ID)
	n.r.must(err)
	return got.State
}

// waiting is what a runner says that waits for another one.
const waiting = "has not compared its send log with it yet"

func TestSendsGoOnOnceAllRunnersComparedTheirLogs(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}} {
		t.Run(strings.Join(names, " "), func(t *testing.T) {
			t.Parallel()
			r := newRedis(t)
			var all []*runner
			for _, name := range names {
				all = append(all, r.runner(name))
			}
			for _, n := range all {
				n.sends()
				n.tick() // it hears of those who came after it
			}
			r.restarted("second.1")
			for i, n := range all {
				n.Connected("second.1")
				n.held("Redis was restarted or has failed over")
				n.tick()
				if i < len(all)-1 {
					n.held(waiting)
				}
			}
			for _, n := range all {
				n.tick()
				n.free()
				n.sends()
			}
			if f := all[0].frozen(); len(f) != 0 {
				t.Errorf("frozen: %+v", f)
			}
		})
	}
}

func TestASendThatOnlyOneRunnerKnowsIsMadeByNoOther(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	a, b, c := r.runner("a"), r.runner("b"), r.runner("c")
	for _, n := range []*runner{a, b, c} {
		n.sends()
		n.tick()
	}
	op := b.plan()
	r.store.Snapshot()
	r.must(b.send(op))
	r.store.Restore()
	r.restarted("second.1")
	if got := a.state(op); got != planner.Queued {
		t.Fatalf("the send was not lost: %s", got)
	}
	for _, n := range []*runner{a, c} {
		n.Connected("second.1")
		n.tick()
		n.held(waiting)
		if err := n.send(op); err == nil {
			t.Errorf("%s sent it again while b was waited for", n.Name)
		}
	}
	b.tick()
	b.held("it does not know 1 requests")
	for _, n := range []*runner{a, c} {
		n.tick()
		n.held("Redis lost writes")
		if err := n.send(op); err == nil {
			t.Errorf("%s sent it again while the journal was frozen", n.Name)
		}
		if p, _ := n.begin(op); p.Gate != journal.Frozen {
			t.Errorf("begin answers %s on %s, want frozen", p.Gate, n.Name)
		}
	}
	rows := b.recover(nil)
	if len(rows) != 1 || rows[0].Op != op.ID || rows[0].Outcome != "unknown" {
		t.Errorf("recovered %+v, want the lost send as unknown", rows)
	}
	for range 2 {
		for _, n := range []*runner{b, a, c} {
			n.tick()
		}
	}
	for _, n := range []*runner{a, b, c} {
		n.free()
		if err := n.send(op); err == nil {
			t.Errorf("%s sent it again after the recovery", n.Name)
		}
		n.sends()
	}
}

func TestARunnerThatDoesNotAnswerHoldsTheOthers(t *testing.T) {
	t.Parallel()
	ends := map[string]func(a, b *runner){
		"it comes back": func(_, b *runner) { b.tick() },
		"recovered with its log": func(a, b *runner) {
			if rows := a.recover([]*runner{b}); len(rows) != 0 {
				a.r.t.Errorf("recovered %+v, want nothing", rows)
			}
		},
		"given up": func(a, b *runner) { a.recover(nil, b.holder()) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRedis(t)
			a, b := r.runner("a"), r.runner("b")
			b.sends()
			a.tick()
			r.restarted("second.1")
			a.tick()
			a.held(waiting)
			r.pass(29 * time.Second)
			a.tick()
			if f := a.frozen(); len(f) != 0 {
				t.Fatalf("frozen before its time: %+v", f)
			}
			r.pass(time.Second)
			a.tick()
			f := a.frozen()
			if len(f) != 1 || !f[0].Absent || f[0].Holder != b.holder() || !strings.Contains(f[0].Reason, "the runner of b") ||
				!strings.Contains(f[0].Reason, "--without "+b.holder()) {
				t.Fatalf("frozen: %+v, want b named", f)
			}
			a.tick()
			a.held("the runner of b")
			end(a, b)
			a.tick()
			a.tick()
			a.free()
			a.sends()
			if f := a.frozen(); len(f) != 0 {
				t.Errorf("still frozen: %+v", f)
			}
		})
	}
}

func TestRunnersThatAreLongGoneAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	a, gone, left := r.runner("a"), r.runner("gone"), r.runner("left")
	gone.sends()
	left.sends()
	r.must(left.Close(t.Context()))
	r.pass(61 * time.Second)
	a.tick()
	r.restarted("second.1")
	a.tick()
	a.free()
}

func TestTheLogOfADeadRunnerIsComparedByItsNeighbour(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		t.Run(map[bool]string{false: "all is there", true: "a send is lost"}[lost], func(t *testing.T) {
			t.Parallel()
			r := newRedis(t)
			dir := t.TempDir()
			a, b := r.in(dir, "a", nil), r.in(dir, "b", nil)
			b.sends()
			op := b.plan()
			a.tick()
			r.store.Snapshot()
			r.must(b.send(op))
			r.must(b.Close(t.Context()))
			if lost {
				r.store.Restore()
			}
			r.restarted("second.1")
			a.tick()
			if !lost {
				a.free()
				return
			}
			a.held("it does not know 1 requests")
			if rows := a.recover(nil); len(rows) != 1 || rows[0].Op != op.ID {
				t.Errorf("recovered %+v", rows)
			}
			a.tick()
			a.tick()
			a.free()
		})
	}
}

func TestANeighbourThatDiesWhileItIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	dir := t.TempDir()
	a, b := r.in(dir, "a", nil), r.in(dir, "b", nil)
	b.sends()
	a.tick()
	r.restarted("second.1")
	a.tick()
	a.held(waiting)
	r.pass(30 * time.Second)
	a.tick()
	if f := a.frozen(); len(f) != 1 || !f[0].Absent {
		t.Fatalf("frozen: %+v, want b named", f)
	}
	r.must(b.Close(t.Context()))
	a.tick()
	a.tick()
	a.free()
	if f := a.frozen(); len(f) != 0 {
		t.Errorf("still frozen: %+v", f)
	}
}

func TestAnotherRedisAtAKnownAddress(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	dir := t.TempDir()
	before := r.in(dir, "a", nil)
	op := before.sends()
	r.must(before.Close(t.Context()))
	r.store = memory.New(r.clock)
	a := r.in(dir, "a", nil)
	a.held("this Redis does not hold the journal that was here before")
	if err := a.send(a.plan()); err == nil {
		t.Error("it sends")
	}
	if f := a.frozen(); len(f) != 1 || !strings.Contains(f[0].Reason, "1 requests") || !strings.Contains(f[0].Reason, "enqueue recover") {
		t.Errorf("frozen: %+v", f)
	}
	if rows := a.recover(nil); len(rows) != 1 || rows[0].Op != op.ID || rows[0].Outcome != "unknown" {
		t.Errorf("recovered %+v", rows)
	}
	a.tick()
	a.tick()
	a.free()
	if got := a.state(op); got != planner.Unknown {
		t.Errorf("the send is %s, want unknown", got)
	}
	a.sends()
}

func TestARunnerWithoutSendsKnowsTheJournalOfTheOthers(t *testing.T) {
	t.Parallel()
	for _, sent := range []bool{false, true} {
		t.Run(map[bool]string{false: "nobody sent", true: "another one sent"}[sent], func(t *testing.T) {
			t.Parallel()
			r := newRedis(t)
			dir := t.TempDir()
			a, b := r.in(dir, "a", nil), r.runner("b")
			if sent {
				b.sends()
			}
			a.tick()
			r.must(a.Close(t.Context()))
			r.must(b.Close(t.Context()))
			r.store = memory.New(r.clock)
			a = r.in(dir, "a", nil)
			if !sent {
				a.free()
				return
			}
			a.held("this Redis does not hold the journal that was here before")
			if rows := a.recover([]*runner{b}); len(rows) != 1 {
				t.Errorf("recovered %+v, want b's send", rows)
			}
			a.tick()
			a.tick()
			a.free()
		})
	}
}

func TestASendThatWasMadeAgainIsTold(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	a, b := r.runner("a"), r.runner("b")
	a.tick()
	op := b.plan()
	r.store.Snapshot()
	r.must(b.send(op))
	// Nobody is told of this change: the same server holds less than before.
	r.store.Restore()
	r.must(a.send(op))
	b.tick()
	b.held("Redis lost writes")
	rows := b.recover([]*runner{a})
	if len(rows) != 1 || rows[0].Op != op.ID || rows[0].Outcome != "twice" {
		t.Errorf("recovered %+v, want it told as sent twice", rows)
	}
	alerts, err := b.books.Alerts(t.Context())
	r.must(err)
	found := false
	for _, al := range alerts {
		found = found || al.Subject == "twice:"+op.ID && strings.Contains(al.Message, "enqueue audit")
	}
	if !found {
		t.Errorf("alerts: %+v, want one of the send that was made twice", alerts)
	}
}

// replaced answers once as the Redis that is being replaced does.
type replaced struct {
	*journal.Journal
	times int
}

func (s *replaced) Stand(ctx context.Context, p journal.Presence) (journal.Standing, error) {
	st, err := s.Journal.Stand(ctx, p)
	if s.times > 0 && !p.Beat {
		s.times--
		st.Seq = 0
	}
	return st, err
}

func TestOneAnswerAloneFreezesNothing(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	var s *replaced
	a := r.in(t.TempDir(), "a", func(j *journal.Journal) sendlog.Journal { s = &replaced{Journal: j}; return s })
	a.sends()
	s.times = 1
	if err := a.Tick(t.Context()); err == nil {
		t.Error("answers that contradict each other are not told")
	}
	a.held("it is asked again")
	if f := a.frozen(); len(f) != 0 {
		t.Errorf("frozen: %+v", f)
	}
	a.tick()
	a.free()
	s.times = 2
	a.tick()
	a.held("Redis lost writes")
}

func TestARedisThatCannotBeAskedFreezesNothing(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	var fails error
	dir := t.TempDir()
	books := r.open()
	g, err := sendlog.Start(t.Context(), sendlog.Config{
		Disk: sendlog.OS(dir), Journal: books, Address: "redis", Name: "a",
		Incarnation: func(ctx context.Context) (string, error) {
			if fails != nil {
				return "", fails
			}
			return books.Incarnation(ctx)
		},
		Now: r.clock, Draw: r.draw, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	a := &runner{Guard: g, r: r, books: books, dir: dir}
	a.sends()
	fails = errors.New("i/o timeout")
	if err := a.Tick(t.Context()); err == nil {
		t.Error("the time-out is not told")
	}
	a.free()
	// A new connection to the same server says nothing new.
	a.Connected("first.1")
	a.free()
	// The same server begins its replication anew, as when a replica comes.
	fails = nil
	r.restarted("first.2")
	a.tick()
	a.free()
	a.sends()
	// Two servers at one address: neither is trusted, and nothing is frozen.
	a.Connected("other.1")
	if err := a.Tick(t.Context()); err == nil {
		t.Error("two servers at one address are not told")
	}
	a.held("Redis was restarted or has failed over")
	if f := a.frozen(); len(f) != 0 {
		t.Errorf("frozen: %+v", f)
	}
}

func TestALogThatCannotBeWrittenShutsTheWay(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	d := &disk{OS: sendlog.OS(t.TempDir())}
	books := r.open()
	g, err := sendlog.Start(t.Context(), sendlog.Config{
		Disk: d, Journal: books, Address: "redis", Name: "a", Incarnation: books.Incarnation, Now: r.clock, Draw: r.draw, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	a := &runner{Guard: g, r: r, books: books, dir: string(d.OS)}
	a.sends()
	full := errors.New("no space left on device")
	d.fail(full, nil)
	if err := a.send(a.plan()); !errors.Is(err, full) {
		t.Errorf("send: %v", err)
	}
	a.held("no space left on device")
	a.tick()
	alerts, err := books.Alerts(t.Context())
	r.must(err)
	if len(alerts) != 1 || !strings.Contains(alerts[0].Message, "no space left on device") {
		t.Errorf("alerts: %+v", alerts)
	}
	d.fail(nil, nil)
	a.tick()
	a.free()
	a.sends()
	if alerts, err = books.Alerts(t.Context()); err != nil || len(alerts) != 0 {
		t.Errorf("alerts: %+v, %v", alerts, err)
	}
}
