package api

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// pipe is a guarded connection under p whose far end is read to the end.
func pipe(t *testing.T, p *pass) (conn net.Conn, received func() string) {
	t.Helper()
	near, far := net.Pipe()
	guarded := &guardedConn{Conn: near}
	p.attach(guarded)
	var all []byte
	var done sync.WaitGroup
	done.Go(func() { all, _ = io.ReadAll(far) })
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return guarded, func() string {
		_ = near.Close()
		done.Wait()
		return string(all)
	}
}

func fenced(t *testing.T, clock *time.Time, before time.Time) *pass {
	t.Helper()
	return newPass(SendBefore(t.Context(), before), func() time.Time { return *clock })
}

func TestNothingIsWrittenFromTheFenceOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		at     time.Duration // of the write, after the start
		before time.Duration
		want   string
	}{
		{"in time", time.Second, 2 * time.Second, "request"},
		{"at the instant", time.Second, time.Second, ""},
		{"late", time.Hour, time.Second, ""},
		{"late from the start", 0, -time.Second, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			clock := noon
			p := fenced(t, &clock, noon.Add(row.before))
			conn, received := pipe(t, p)
			clock = noon.Add(row.at)
			_, err := conn.Write([]byte("request"))
			sent, refused := p.seal()
			if got := received(); got != row.want || sent != (row.want != "") {
				t.Errorf("received %q, want %q; sent %v", got, row.want, sent)
			}
			if late := row.want == ""; errors.Is(err, errLate) != late || errors.Is(refused, errLate) != late {
				t.Errorf("write error %v, refused %v", err, refused)
			}
		})
	}
}

func TestAFenceThatClosesInMidRequestLeavesTheEffectOpen(t *testing.T) {
	t.Parallel()
	clock := noon
	p := fenced(t, &clock, noon.Add(time.Second))
	conn, received := pipe(t, p)
	if _, err := conn.Write([]byte("head")); err != nil {
		t.Fatal(err)
	}
	clock = noon.Add(time.Minute)
	if _, err := conn.Write([]byte("body")); !errors.Is(err, errLate) {
		t.Errorf("error %v", err)
	}
	sent, refused := p.seal()
	if got := received(); got != "head" || !sent || !errors.Is(refused, errLate) {
		t.Errorf("received %q, sent %v, refused %v", got, sent, refused)
	}
}

func TestAClockSetBackDoesNotOpenTheFence(t *testing.T) {
	t.Parallel()
	start := time.Now()
	f := newFence(start, start.Round(0).Add(time.Second))
	// Two seconds later by the monotonic clock, an hour earlier on the wall.
	later := start.Add(2 * time.Second)
	if !f.passed(later) {
		t.Error("open past its instant")
	}
	if !(fence{given: start.Round(0).Add(-time.Hour), measured: start.Add(time.Hour)}).passed(start) {
		t.Error("open although the wall clock has passed it")
	}
	if !(fence{given: start.Round(0).Add(time.Hour), measured: start.Add(-time.Second)}).passed(start) {
		t.Error("open although the monotonic clock has passed it")
	}
	if newFence(start, start.Add(time.Hour)).passed(later) {
		t.Error("closed ahead of its instant")
	}
}

func TestASealedPassWritesNoMore(t *testing.T) {
	t.Parallel()
	p := newPass(t.Context(), func() time.Time { return noon })
	conn, received := pipe(t, p)
	if sent, _ := p.seal(); sent {
		t.Error("sent before any write")
	}
	if _, err := conn.Write([]byte("late")); !errors.Is(err, errSealed) {
		t.Errorf("error %v", err)
	}
	if got := received(); got != "" {
		t.Errorf("received %q", got)
	}
}

func TestAWriteUnderWayCountsAsSent(t *testing.T) {
	t.Parallel()
	p := newPass(t.Context(), func() time.Time { return noon })
	if err := p.begin(); err != nil {
		t.Fatal(err)
	}
	if sent, _ := p.seal(); !sent {
		t.Error("a write under way counts as not sent")
	}
}

func TestAWriteThatTheKernelRefusedIsNotSent(t *testing.T) {
	t.Parallel()
	p := newPass(t.Context(), func() time.Time { return noon })
	conn, _ := pipe(t, p)
	_ = conn.Close()
	if _, err := conn.Write([]byte("x")); err == nil {
		t.Fatal("no error")
	}
	if sent, _ := p.seal(); sent {
		t.Error("sent, although no byte was accepted")
	}
}

func TestAnEndedContextWritesNothing(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{canceled, expired} {
		p := newPass(ctx, func() time.Time { return noon })
		conn, received := pipe(t, p)
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("written")
		}
		if got := received(); got != "" {
			t.Errorf("received %q", got)
		}
	}
}

func TestAConnectionThatCannotBeWatchedCountsAsSent(t *testing.T) {
	t.Parallel()
	p := newPass(t.Context(), func() time.Time { return noon })
	near, far := net.Pipe()
	defer func() { _ = near.Close(); _ = far.Close() }()
	p.attach(near)
	if sent, _ := p.seal(); !sent {
		t.Error("not sent")
	}
}

func TestAnAnswerToARequestThatWasRefusedIsNone(t *testing.T) {
	t.Parallel()
	clock := noon
	p := fenced(t, &clock, noon)
	conn, _ := pipe(t, p)
	_, _ = conn.Write([]byte("x"))
	e := classify(sealed(p, jsonAnswer(200, seatsAdded)), noon, takeSeats)
	if e == nil || e.Effect != EffectNotApplied || e.Reason != ReasonDeadline {
		t.Errorf("error %v", e)
	}
}
