package journal_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// refuses checks that an operation is not let through and nothing is held.
func (s *store) refuses(want journal.Gate, op *journal.Op, amount string, limits []journal.Limit, edits ...func(*journal.Start)) journal.Passage {
	s.t.Helper()
	p := s.start(op, amount, limits, edits...)
	s.same("gate", p.Gate, want)
	s.same("attempts", s.get(op.ID).Attempts, op.Attempts)
	s.recount()
	return p
}

func TestBegin(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a queued operation passes and holds its amount", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			quote := usd("2")
			p := s.start(op, "2", capped("2"), func(st *journal.Start) {
				st.Quote, st.Evidence = &quote, map[string]int{"seats": 10}
			})
			s.same("gate and attempt", []any{p.Gate, p.Attempt}, []any{journal.Through, 1})
			got := s.get(op.ID)
			s.same("state", got.State, planner.Sending)
			s.same("reserved", got.Reserved, usd("2"))
			s.same("quote", *got.Quote, quote)
			s.same("evidence", string(got.Evidence), `{"seats":10}`)
			s.same("deadline", got.Due, s.now.Add(90*time.Second))
			s.holds(capped("2"), "0", "2", "0")
		}},
		{"one of many callers passes, each attempt", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			for attempt := 1; attempt <= 3; attempt++ {
				op = s.get(op.ID)
				var through atomic.Int32
				var wg sync.WaitGroup
				for range 16 {
					nonce := s.word()
					wg.Go(func() {
						p, err := s.Begin(s.ctx, journal.Start{Op: op, Nonce: nonce, Now: s.now, Deadline: s.now, Amount: 5, Limits: free()})
						if err != nil {
							s.t.Errorf("begin: %v", err)
						}
						if p.Gate == journal.Through {
							through.Add(1)
							if p.Attempt != attempt {
								s.t.Errorf("attempt %d, want %d", p.Attempt, attempt)
							}
						}
					})
				}
				wg.Wait()
				s.same("let through", through.Load(), int32(1))
				s.recount()
				s.ended(op, planner.Queued)
			}
		}},
		{"the same question has the same answer", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			st := journal.Start{Op: op, Nonce: "n", Now: s.now, Deadline: s.now, Amount: usd("1"), Limits: free()}
			for range 3 {
				p, err := s.Begin(s.ctx, st)
				s.must(err)
				s.same("gate and attempt", []any{p.Gate, p.Attempt}, []any{journal.Through, 1})
			}
			s.holds(free(), "0", "1", "0")
			s.same("history", len(s.get(op.ID).History()), 2)
		}},
		{"another caller is told the state", func(s *store) {
			op := s.begun(s.queued(operation(planner.Create, "a", 0)), "1", free())
			p := s.refuses(journal.NotQueued, op, "1", free())
			s.same("detail", p.Detail, []string{"sending"})
		}},
		{"an operation that is not held is missing", func(s *store) {
			p, err := s.Begin(s.ctx, journal.Start{Op: &journal.Op{Operation: operation(planner.Create, "x", 0)}, Nonce: "n", Now: s.now})
			s.must(err)
			s.same("gate", p.Gate, journal.Missing)
			s.recount()
		}},
		{"a settled operation is never let through again", func(s *store) {
			op := s.made("a", 1, "1", free())
			s.refuses(journal.NotQueued, op, "1", free())
		}},
		{"a paused campaign holds purchases, and lets pauses pass", func(s *store) {
			s.registered(campaign("c"))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Paused, "lunch"))
			op := s.queued(operation(planner.Create, "a", 0))
			p := s.refuses(journal.Held, op, "1", free())
			s.same("reason", p.Detail, []string{"lunch"})
			ids, err := s.Open(s.ctx, planner.Queued, s.now.AddDate(10, 0, 0), 10)
			s.must(err)
			s.same("due in ten years", len(ids), 0)
			s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.recount()
		}},
		{"a stop holds everything but pauses", func(s *store) {
			s.must(s.Stop(s.ctx, "fire"))
			p := s.refuses(journal.Held, s.queued(operation(planner.Rate, "a", 7)), "0", nil)
			s.same("reason", p.Detail, []string{"fire"})
			s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.must(s.Stop(s.ctx, ""))
			reason, err := s.Stopped(s.ctx)
			s.must(err)
			s.same("reason", reason, "")
			s.begun(s.queued(operation(planner.Rate, "b", 7)), "0", nil)
		}},
		{"a removed campaign's operations are dropped", func(s *store) {
			s.registered(campaign("c"))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Removed, ""))
			s.refuses(journal.Dropped, s.queued(operation(planner.Create, "a", 0)), "1", free())
		}},
		{"operations on one job never overlap", func(s *store) {
			s.made("a", 7, "1", free())
			first := s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "1", free())
			p := s.refuses(journal.Busy, s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.same("holder", p.Detail, []string{first.ID})
			s.begun(s.queued(operation(planner.AddSeats, "b", 8)), "1", free())
			s.ended(first, planner.Unknown)
			s.refuses(journal.Busy, s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.ended(first, planner.Parked)
			s.refuses(journal.Busy, s.queued(operation(planner.Resume, "a", 7)), "1", free())
		}},
		{"a pause goes past what waits for a person, and leaves it the job", func(s *store) {
			s.made("a", 7, "1", free())
			first := s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "1", free())
			s.ended(first, planner.Unknown)
			s.ended(first, planner.Parked)
			pause := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.refuses(journal.Busy, s.queued(operation(planner.Resume, "a", 7)), "1", free())
			s.ended(pause, planner.Applied, refunds("1.5"))
			p := s.refuses(journal.Busy, s.queued(operation(planner.Resume, "a", 7)), "1", free())
			s.same("holder", p.Detail, []string{first.ID})
			s.ended(first, planner.Applied, costs("1", 7))
			s.recount()
			s.begun(s.queued(operation(planner.Resume, "a", 7)), "1", free())
		}},
		{"evidence that is older than the last operation on the job is stale", func(s *store) {
			s.made("a", 7, "1", free())
			early := s.queued(operation(planner.AddSeats, "a", 7))
			other := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.ended(other, planner.Applied, refunds("0.5"))
			s.refuses(journal.Stale, early, "1", free(), func(st *journal.Start) { st.Op = early })
			s.begun(early, "1", free())
		}},
		{"a cap that was lowered meanwhile lets nothing through by the spec before", func(s *store) {
			before, after := campaign("c"), campaign("c", every("a", time.Hour))
			s.registered(before)
			op := s.queued(operation(planner.Create, "a", 0))
			s.registered(after)
			by := func(c *campaigns.Campaign) func(*journal.Start) {
				return func(st *journal.Start) { st.Spec = c.Digest() }
			}
			s.refuses(journal.Edited, op, "1", free(), by(before))
			s.begun(op, "1", free(), by(after))
			s.recount()
		}},
		{"ratings and updates need no lane", func(s *store) {
			s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "1", free())
			s.begun(s.queued(operation(planner.Update, "a", 7)), "0", nil)
			s.begun(s.queued(operation(planner.Rate, "a", 7)), "0", nil)
			s.recount()
		}},
		{"a refund is measured in quiet", func(s *store) {
			quiet := func(st *journal.Start) { st.QuietUntil = s.now.Add(30 * time.Second) }
			create := s.begun(s.queued(operation(planner.Create, "a", 0)), "1", free())
			pause := s.queued(operation(planner.Pause, "a", 7))
			s.refuses(journal.Busy, pause, "0", nil, quiet)
			s.ended(create, planner.Rejected)
			s.begun(pause, "0", nil, quiet)
			waiting := s.queued(operation(planner.Create, "b", 0))
			p := s.refuses(journal.Busy, waiting, "1", free())
			s.same("holder", p.Detail, []string{pause.ID})
			s.refuses(journal.Busy, s.queued(operation(planner.Pause, "b", 8)), "0", nil, quiet)
			s.refuses(journal.Busy, s.queued(operation(planner.Pause, "c", 9)), "0", nil)
			s.begun(s.queued(operation(planner.Rate, "b", 8)), "0", nil)
			s.ended(pause, planner.Applied, refunds("0.5"))
			s.begun(waiting, "1", free())
		}},
		{"the quiet ends by itself once its sender is given up, and by no clock before", func(s *store) {
			pause := s.queued(operation(planner.Pause, "a", 7))
			s.begun(pause, "0", nil, func(st *journal.Start) { st.QuietUntil = s.now.Add(30 * time.Second) })
			waiting := s.queued(operation(planner.Create, "b", 0))
			s.now = s.now.Add(time.Hour)
			s.refuses(journal.Busy, waiting, "1", free())
			s.now = s.now.Add(-time.Hour)
			s.ended(pause, planner.Unknown)
			s.refuses(journal.Busy, waiting, "1", free())
			s.now = s.now.Add(31 * time.Second)
			s.begun(waiting, "1", free())
		}},
		{"a minimum balance is kept against all that is held", func(s *store) {
			least := usd("10")
			keep := func(st *journal.Start) { st.MinBalance = &least }
			a, b := s.queued(operation(planner.Create, "a", 0)), s.queued(operation(planner.Create, "b", 0))
			s.refuses(journal.LowBalance, a, "1", free(), keep)
			account, err := s.Account(s.ctx)
			s.must(err)
			s.must(s.ReadBalance(s.ctx, s.now, usd("12"), account))
			s.begun(a, "1.5", free(), keep)
			p := s.refuses(journal.LowBalance, b, "0.500001", free(), keep)
			s.same("left", p.Detail, []string{"9999999"})
			s.begun(b, "0.5", free(), keep)
		}},
		{"a reading of the balance forgets no charge of the meantime", func(s *store) {
			least := usd("10")
			before, err := s.Account(s.ctx)
			s.must(err)
			s.made("a", 1, "1.5", free())
			s.must(s.ReadBalance(s.ctx, s.now, usd("12"), before)) // read before the charge
			s.refuses(journal.LowBalance, s.queued(operation(planner.Create, "b", 0)), "1", free(),
				func(st *journal.Start) { st.MinBalance = &least })
			account, err := s.Account(s.ctx)
			s.must(err)
			s.same("anchored by it", account.Anchored, false)
		}},
		{"a refund that the last reading may hold adds nothing to it", func(s *store) {
			least := usd("10")
			keep := func(st *journal.Start) { st.MinBalance = &least }
			s.made("a", 1, "1.5", free())
			pause := s.begun(s.queued(operation(planner.Pause, "a", 1)), "0", nil)
			account, err := s.Account(s.ctx)
			s.must(err)
			s.must(s.ReadBalance(s.ctx, s.now, usd("11"), account)) // the pause has landed
			back := usd("1")
			s.ended(pause, planner.Applied, func(set *journal.Settlement) { set.Refund = &back })
			account, err = s.Account(s.ctx)
			s.must(err)
			s.same("back since the reading", account.Back, back)
			s.refuses(journal.LowBalance, s.queued(operation(planner.Create, "b", 0)), "1.5", free(), keep)
			s.must(s.ReadBalance(s.ctx, s.now, usd("11"), account))
			account, err = s.Account(s.ctx)
			s.must(err)
			s.same("back since the next", account.Back, usd("0"))
			s.begun(s.queued(operation(planner.Create, "c", 0)), "1", free(), keep)
		}},
		{"the first quiet reading anchors the books", func(s *store) {
			s.made("a", 1, "1.5", free())
			account, err := s.Account(s.ctx)
			s.must(err)
			s.must(s.ReadBalance(s.ctx, s.now, usd("98.5"), account))
			s.made("b", 2, "0.5", free())
			account, err = s.Account(s.ctx)
			s.must(err)
			s.same("expected", account.Expected(), usd("98"))
			s.must(s.ReadBalance(s.ctx, s.now, usd("97.25"), account))
			account, err = s.Account(s.ctx)
			s.must(err)
			s.same("drift and anchor", []money.USD{account.Drift, account.Anchor}, []money.USD{usd("0.75"), usd("100")})
		}},
	})
}
