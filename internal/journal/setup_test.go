package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// epoch is the time of the tests, a Tuesday.
var epoch = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// prefix is that of every key.
const prefix = "cr:{main}:"

// check is a claim of the contract.
type check struct {
	claim string
	hold  func(s *store)
}

// contract holds the same claims on both Redises that live in a process and on
// a real one.
func contract(t *testing.T, checks []check) {
	t.Helper()
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		for _, c := range checks {
			t.Run(c.claim, func(t *testing.T) {
				t.Parallel()
				c.hold(newStore(t, "redis://"+miniredis.RunT(t).Addr()))
			})
		}
	})
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		for _, c := range checks {
			t.Run(c.claim, func(t *testing.T) {
				t.Parallel()
				c.hold(newStoreOn(t, memory.New(time.Now).Client()))
			})
		}
	})
	t.Run("redis-server", func(t *testing.T) {
		t.Parallel()
		url := realRedis(t)
		for _, c := range checks {
			t.Run(c.claim, func(t *testing.T) { // one after the other: they share the server
				s := newStore(t, url)
				s.must(s.rdb.FlushDB(t.Context()).Err())
				c.hold(s)
			})
		}
	})
}

// realRedis starts a redis-server on a unix socket. A suite that is green
// without one proves nothing, so it fails where there is none.
func realRedis(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not in PATH: install it, the journal's contract needs it")
	}
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return server.URL()
}

// store is a journal under test with the time and words that it is given.
type store struct {
	*journal.Journal
	t     testing.TB
	ctx   context.Context
	rdb   redis.UniversalClient
	now   time.Time
	words int
}

func newStore(t testing.TB, url string) *store {
	t.Helper()
	rdb, err := embedded.Connect(url, embedded.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	return newStoreOn(t, rdb)
}

func newStoreOn(t testing.TB, rdb redis.UniversalClient) *store {
	t.Helper()
	t.Cleanup(func() { _ = rdb.Close() })
	j, err := journal.Open(rdb)
	if err != nil {
		t.Fatal(err)
	}
	return &store{Journal: j, t: t, ctx: t.Context(), rdb: rdb, now: epoch}
}

func (s *store) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) word() string { s.words++; return fmt.Sprintf("word-%d", s.words) }

// same fails unless two values are equal.
func (s *store) same(what string, got, want any) {
	s.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func usd(text string) money.USD { return money.MustParse(text) }

// operation is one of campaign c. Those on jobs are of action "on", so that
// creates and they are told apart.
func operation(kind planner.Kind, item string, job int64) planner.Operation {
	if kind == planner.Create {
		return planner.Operation{
			ID: planner.NewID("c", "create", item, epoch), Campaign: "c", Action: "create",
			Item: item, Kind: kind, Slot: epoch,
		}
	}
	return planner.OnJob("c", "on-"+string(kind), kind, planner.Job{ID: job, Item: item}, epoch)
}

// queued writes an operation and reads it.
func (s *store) queued(op planner.Operation) *journal.Op {
	s.t.Helper()
	_, err := s.Create(s.ctx, s.now, nil, journal.Queue([]planner.Operation{op}))
	s.must(err)
	return s.get(op.ID)
}

func (s *store) get(id string) *journal.Op {
	s.t.Helper()
	op, err := s.Get(s.ctx, id)
	s.must(err)
	return op
}

// free is a budget without a cap; capped one with.
func free() []journal.Limit {
	return []journal.Limit{{Scope: "c:c", Window: "total", Cap: -1}}
}

func capped(amount string) []journal.Limit {
	return []journal.Limit{{Scope: "c:c", Window: "total", Cap: usd(amount)}}
}

// start asks to be let through, with a new nonce.
func (s *store) start(op *journal.Op, amount string, limits []journal.Limit, edits ...func(*journal.Start)) journal.Passage {
	s.t.Helper()
	st := journal.Start{
		Op: s.get(op.ID), Nonce: s.word(), Now: s.now, Deadline: s.now.Add(90 * time.Second),
		Amount: usd(amount), Limits: limits,
	}
	for _, edit := range edits {
		edit(&st)
	}
	p, err := s.Begin(s.ctx, st)
	s.must(err)
	return p
}

// begun is start that must pass; it returns the operation as it is then.
func (s *store) begun(op *journal.Op, amount string, limits []journal.Limit, edits ...func(*journal.Start)) *journal.Op {
	s.t.Helper()
	if p := s.start(op, amount, limits, edits...); p.Gate != journal.Through {
		s.t.Fatalf("%s was not let through: %s %v", op.ID, p.Gate, p.Detail)
	}
	return s.get(op.ID)
}

// settled settles an operation from the state it is in.
func (s *store) settled(op *journal.Op, to planner.State, edits ...func(*journal.Settlement)) ([]string, error) {
	s.t.Helper()
	op = s.get(op.ID)
	set := journal.Settlement{Op: op, From: op.State, Nonce: op.Nonce, Stamp: s.word(), To: to, Now: s.now, JobID: op.JobID}
	for _, edit := range edits {
		edit(&set)
	}
	return s.Settle(s.ctx, set)
}

// ended is settled that must succeed.
func (s *store) ended(op *journal.Op, to planner.State, edits ...func(*journal.Settlement)) *journal.Op {
	s.t.Helper()
	_, err := s.settled(op, to, edits...)
	s.must(err)
	return s.get(op.ID)
}

func costs(amount string, job int64) func(*journal.Settlement) {
	c := usd(amount)
	return func(s *journal.Settlement) { s.Cost, s.JobID = &c, job }
}

func refunds(amount string) func(*journal.Settlement) {
	c := usd(amount)
	return func(s *journal.Settlement) { s.Refund = &c }
}

func makes(seats int) func(*journal.Settlement) {
	return func(s *journal.Settlement) {
		s.Made = &journal.Made{Item: s.Op.Item, Slot: s.Op.Slot, Seats: seats, Price: usd("0.05")}
	}
}

// made is a job that a create made, at a cost.
func (s *store) made(item string, job int64, cost string, limits []journal.Limit) *journal.Op {
	s.t.Helper()
	op := s.begun(s.queued(operation(planner.Create, item, 0)), cost, limits)
	return s.ended(op, planner.Applied, costs(cost, job), makes(10))
}

func (s *store) budget(limits []journal.Limit) journal.Budget {
	s.t.Helper()
	b, err := s.Budget(s.ctx, limits[0])
	s.must(err)
	return b
}

// holds compares committed, reserved and unknown of a budget.
func (s *store) holds(limits []journal.Limit, committed, reserved, unknown string) {
	s.t.Helper()
	b := s.budget(limits)
	got := []money.USD{b.Committed(), b.Reserved, b.Unknown}
	s.same("committed, reserved, unknown", got, []money.USD{usd(committed), usd(reserved), usd(unknown)})
	s.recount()
}

func campaign(name string, actions ...campaigns.Action) *campaigns.Campaign {
	return &campaigns.Campaign{Name: name, Source: "file", Timezone: "UTC", Actions: actions}
}

func every(id string, d time.Duration) campaigns.Action {
	return campaigns.Action{ID: id, Do: campaigns.DoRestart, Every: campaigns.Duration(d), Timezone: "UTC"}
}

func (s *store) registered(c *campaigns.Campaign) {
	s.t.Helper()
	s.must(s.Register(s.ctx, s.now, c))
}

func conflict(err error) planner.State {
	var c *journal.ErrConflict
	if errors.As(err, &c) {
		return c.State
	}
	return ""
}
