package sendlog_test

import (
	"context"
	"errors"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

func TestALeaveFromBeforeADoubtIsGoodNoMore(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	n := r.runner("a")
	pass, err := n.Enter()
	r.must(err)
	r.must(n.Check(pass))
	n.Doubt("Redis answered oddly")
	n.tick()
	n.free()
	if err := n.Check(pass); err == nil {
		t.Error("what was begun before the doubt may be sent after it")
	}
	if err := n.Record(context.Background(), pass, send(1)); err == nil {
		t.Error("a line was written for what may not be sent")
	}
	pass, err = n.Enter()
	r.must(err)
	r.must(n.Check(pass))
}

// unfrozen is a journal that takes no freeze, as of a Redis that fails again.
type unfrozen struct{ *journal.Journal }

var errDown = errors.New("redis is down")

func (unfrozen) Freeze(context.Context, string, journal.Freeze) error { return errDown }

func TestALossStopsItsFinderWhereItCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	n := r.in(t.TempDir(), "a", func(j *journal.Journal) sendlog.Journal { return unfrozen{j} })
	r.store.Snapshot()
	n.sends()
	r.store.Restore()
	if err := n.Tick(context.Background()); !errors.Is(err, errDown) {
		t.Errorf("tick: %v, want %v", err, errDown)
	}
	n.held("Redis lost writes")
	if err := n.send(n.plan()); err == nil {
		t.Error("it sends on")
	}
}
