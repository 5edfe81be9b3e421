package journal_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// lossy passes bytes between clients and a Redis, and cuts the connection
// instead of passing on the answer to a script, as often as it is told.
type lossy struct {
	to    string
	armed atomic.Int32
	cut   atomic.Int32
}

// startLossy listens on a loopback port in front of a Redis.
func startLossy(t *testing.T, to string) (*lossy, string) {
	t.Helper()
	l := &lossy{to: to}
	var config net.ListenConfig
	ln, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	ctx := context.WithoutCancel(t.Context())
	wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { l.pass(ctx, client) })
		}
	})
	return l, ln.Addr().String()
}

func (l *lossy) pass(ctx context.Context, client net.Conn) {
	var dialer net.Dialer
	server, err := dialer.DialContext(ctx, "tcp", l.to)
	if err != nil {
		_ = client.Close()
		return
	}
	var doomed atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		l.copy(server, client, func(b []byte) bool {
			if bytes.Contains(bytes.ToLower(b), []byte("evalsha")) && l.armed.Load() > 0 {
				l.armed.Add(-1)
				doomed.Store(true)
			}
			return true
		})
	})
	l.copy(client, server, func([]byte) bool {
		if doomed.Load() {
			l.cut.Add(1)
			return false
		}
		return true
	})
	wg.Wait()
}

// copy passes bytes on until either side ends or keep says no, and closes both.
func (l *lossy) copy(to, from net.Conn, keep func([]byte) bool) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !keep(buf[:n]) {
			return
		}
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			return
		}
	}
}

func TestAnAnswerThatGotLostDoublesNothing(t *testing.T) {
	t.Parallel()
	for claim, walk := range map[string]func(s *store, lose func()){
		"of a create": func(s *store, lose func()) {
			lose()
			_, err := s.Create(s.ctx, s.now, nil, many(3))
			s.must(err)
		},
		"of an occurrence": func(s *store, lose func()) {
			s.registered(campaign("c", every("a", time.Hour)))
			occ := slot(epoch, epoch.Add(time.Hour))
			occ.Missed = 2
			lose()
			_, _ = s.Create(s.ctx, s.now, occ, many(3)) // that it was planned is told, if not by whom
			missed, err := s.Missed(s.ctx, "c", "a")
			s.must(err)
			s.same("missed", missed, 2)
		},
		"of a begin": func(s *store, lose func()) {
			op := s.next("a")
			lose()
			s.same("attempts", s.begun(op, "1", free()).Attempts, 1)
			s.holds(free(), "0", "1", "0")
		},
		"of a charge": func(s *store, lose func()) {
			op := s.begun(s.next("a"), "1", free())
			lose()
			s.ended(op, planner.Applied, costs("1", 7), makes(10))
			s.holds(free(), "1", "0", "0")
		},
		"of a refund": func(s *store, lose func()) {
			s.made("a", 7, "1", free())
			op := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			lose()
			s.ended(op, planner.Applied, refunds("0.25"))
			s.holds(free(), "0.75", "0", "0")
		},
		"of a lease": func(s *store, lose func()) {
			one, err := s.Lead(s.ctx, "one", "", time.Minute)
			s.must(err)
			lose()
			again, err := s.Lead(s.ctx, "one", "", time.Minute)
			s.must(err)
			s.same("token", again, one)
		},
		"of a registration": func(s *store, lose func()) {
			lose()
			s.registered(campaign("c", every("a", time.Hour)))
			s.same("watermark", s.mark("a"), epoch)
		},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			proxy, addr := startLossy(t, miniredis.RunT(t).Addr())
			s := newStore(t, "redis://"+addr)
			s.made("warm", 99, "0", free()) // so that the scripts are loaded
			walk(s, func() { proxy.armed.Store(1) })
			if n := proxy.cut.Load(); n != 1 {
				t.Errorf("%d answers were lost, want 1", n)
			}
			s.recount()
		})
	}
}

func TestTwoAnswersLostAreAnErrorThatIsReadAgain(t *testing.T) {
	t.Parallel()
	proxy, addr := startLossy(t, miniredis.RunT(t).Addr())
	s := newStore(t, "redis://"+addr)
	s.made("warm", 99, "0", free())
	op := s.begun(s.next("a"), "1", free())
	proxy.armed.Store(2)
	if _, err := s.settled(op, planner.Applied, costs("1", 7)); err == nil {
		t.Fatal("two lost answers brought no error")
	}
	s.same("state", s.get(op.ID).State, planner.Applied)
	s.holds(free(), "1", "0", "0")
}

func TestScriptsThatRedisForgotAreLoadedAgain(t *testing.T) {
	t.Parallel()
	contract(t, []check{{"after a flush", func(s *store) {
		for range 3 {
			s.must(s.rdb.ScriptFlush(s.ctx).Err())
			op := s.begun(s.next(s.word()), "1", free())
			s.must(s.rdb.ScriptFlush(s.ctx).Err())
			s.ended(op, planner.Applied, costs("1", 7))
		}
		s.holds(free(), "3", "0", "0")
	}}})
}

func TestARedisThatIsDownIsAnErrorAndNoEffect(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := newStore(t, "redis://"+server.Addr())
	op := s.next("a")
	start := journal.Start{Op: op, Nonce: "n", Now: s.now, Deadline: s.now, Amount: usd("1"), Limits: free()}
	for _, fault := range []string{"LOADING dataset in memory", "READONLY replica", "OOM command not allowed", "MISCONF no disk"} {
		server.SetError(fault)
		if _, err := s.Begin(s.ctx, start); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("begin: %v, want %s", err, fault)
		}
		if err := s.Ping(s.ctx); err == nil {
			t.Error("ping brought no error")
		}
	}
	server.SetError("")
	s.same("state", s.get(op.ID).State, planner.Queued)
	s.holds(free(), "0", "0", "0")
	addr := server.Addr()
	server.Close()
	if _, err := s.Begin(s.ctx, start); err == nil {
		t.Error("begin without a Redis brought no error")
	}
	s.must(server.StartAddr(addr))
	s.same("state", s.get(op.ID).State, planner.Queued)
	s.begun(op, "1", free())
}

func TestACallerThatLeavesGetsItsContextsError(t *testing.T) {
	t.Parallel()
	s := newStore(t, "redis://"+miniredis.RunT(t).Addr())
	op := s.next("a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Begin(ctx, journal.Start{Op: op, Nonce: "n", Now: s.now, Limits: free()}); err == nil {
		t.Error("an ended context brought no error")
	}
	s.same("state", s.get(op.ID).State, planner.Queued)
	s.recount()
}

func TestCallersAtTheSameTimeShareNoOutcome(t *testing.T) {
	t.Parallel()
	contract(t, []check{{"two hundred creates under one cap", func(s *store) {
		limits := capped("50.5")
		ids, err := s.Create(s.ctx, s.now, nil, many(200))
		s.must(err)
		ops, err := s.Load(s.ctx, ids)
		s.must(err)
		var through atomic.Int32
		var wg sync.WaitGroup
		for i, op := range ops {
			nonce := s.word()
			wg.Go(func() {
				p, err := s.Begin(s.ctx, journal.Start{Op: op, Nonce: nonce, Now: s.now, Deadline: s.now, Amount: usd("1"), Limits: limits})
				if err != nil || p.Gate != journal.Through {
					return
				}
				through.Add(1)
				op.Nonce = nonce
				set := journal.Settlement{Op: op, From: planner.Sending, Nonce: nonce, Stamp: nonce, To: planner.Applied, Now: s.now}
				costs("1", int64(i+1))(&set)
				if _, err := s.Settle(s.ctx, set); err != nil {
					s.t.Errorf("settle: %v", err)
				}
			})
		}
		wg.Wait()
		s.same("let through", through.Load(), int32(50))
		s.holds(limits, "50", "0", "0")
	}}})
}
