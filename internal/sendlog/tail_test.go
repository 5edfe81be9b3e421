package sendlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// TestALossIsNoticedForARunnerThatIsLongGone has Redis go back by minutes, to
// before the last sends of a runner that died since and that nobody waits for as
// a rule. The others saw its number.
func TestALossIsNoticedForARunnerThatIsLongGone(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"recovered with its log", "given up"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r := newRedis(t)
			a, b := r.runner("a"), r.runner("b")
			a.sends()
			op := b.plan()
			older := r.store.Backup()
			r.must(b.send(op))
			a.tick()
			r.pass(5 * time.Minute)
			a.tick()
			r.store.Load(older)
			r.restarted("second.1")
			a.tick()
			a.held(waiting)
			r.pass(30 * time.Second)
			a.tick()
			a.held("the runner of b")
			if how == "given up" {
				a.recover(nil, b.holder())
			} else if rows := a.recover([]*runner{b}); len(rows) != 1 || rows[0].Op != op.ID {
				t.Errorf("recovered %+v, want b's send", rows)
			}
			a.tick()
			a.tick()
			a.free()
			a.sends()
		})
	}
}

// TestARecoveredRunnerWaitsForTheWordOfTheOthers has two runners lose sends, and
// a person who brings the log of one.
func TestARecoveredRunnerWaitsForTheWordOfTheOthers(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	a, b := r.runner("a"), r.runner("b")
	a.tick()
	op := b.plan()
	older := r.store.Backup()
	r.must(b.send(op))
	a.sends()
	a.tick()
	r.store.Load(older)
	r.restarted("second.1")
	a.tick()
	a.held("it does not know 1 requests")
	a.recover(nil)
	a.tick()
	if err := a.send(op); err == nil {
		t.Error("it sent again what only the other runner knows")
	}
	b.tick()
	b.held("it does not know 1 requests")
	b.recover(nil)
	for range 3 {
		b.tick()
		a.tick()
	}
	a.free()
	b.free()
	if got := a.state(op); got != planner.Unknown {
		t.Errorf("the send is %s, want unknown", got)
	}
}

// TestALogWithoutSendsFollowsTheJournalThatIsThere has a runner start on a Redis
// that was emptied, before the others' journal came back.
func TestALogWithoutSendsFollowsTheJournalThatIsThere(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	a := r.runner("a")
	a.sends()
	a.tick()
	r.store = memory.New(r.clock)
	r.restarted("second.1")
	a.books = r.open()
	late := r.runner("late")
	late.tick()
	a2 := r.in(a.dir, "a", nil) // a neighbour in a's folder, whose log has sends
	a2.tick()
	a2.held("this Redis does not hold the journal that was here before")
	if rows := a2.recover([]*runner{late}); len(rows) != 1 {
		t.Errorf("recovered %+v, want a's send", rows)
	}
	for range 2 {
		late.tick()
		a2.tick()
	}
	late.free()
	late.sends()
	logs, err := sendlog.ReadAll(sendlog.OS(late.dir))
	r.must(err)
	own, err := sendlog.ReadAll(sendlog.OS(a.dir))
	r.must(err)
	if len(logs) != 1 || logs[0].Journal != own[0].Journal || !strings.HasPrefix(logs[0].Name, logs[0].Holder) {
		t.Errorf("its log is %+v, want one of journal %s", logs, own[0].Journal)
	}
}
