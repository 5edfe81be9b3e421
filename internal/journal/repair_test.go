package journal_test

import (
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// recovers writes a create anew that made a job.
func (s *store) recovers(op planner.Operation, job int64) bool {
	s.t.Helper()
	wrote, err := s.Recover(s.ctx, s.now, journal.Recovered{
		Op: op, Cost: usd("2"), At: s.now, Limits: capped("10"),
		Job: journal.Job{ID: job, Item: op.Item, Slot: op.Slot, Seats: 10, Price: usd("0.1"), Status: journal.JobOnline},
	})
	s.must(err)
	return wrote
}

func TestRecover(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a lost create is charged once", func(s *store) {
			op := operation(planner.Create, "a", 0)
			s.same("written", s.recovers(op, 7), true)
			s.same("written again", s.recovers(op, 7), false)
			s.same("with another job", s.recovers(op, 8), false)
			s.holds(capped("10"), "2", "0", "0")
			s.same("state", s.get(op.ID).State, planner.Applied)
		}},
		{"a job that is known is nobody else's", func(s *store) {
			s.same("written", s.recovers(operation(planner.Create, "a", 0), 7), true)
			s.same("by another create", s.recovers(operation(planner.Create, "b", 0), 7), false)
			s.holds(capped("10"), "2", "0", "0")
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("item", job.Item, "a")
		}},
		{"a create that is still queued is left as it is", func(s *store) {
			op := operation(planner.Create, "a", 0)
			s.queued(op)
			s.same("written", s.recovers(op, 7), false)
			s.same("state", s.get(op.ID).State, planner.Queued)
			s.holds(capped("10"), "0", "0", "0")
		}},
	})
}

// resurrects writes a send of op that only a send log knows.
func (s *store) resurrects(op *journal.Op, attempt int, nonce string) journal.Resurrection {
	s.t.Helper()
	res, err := s.Resurrect(s.ctx, s.now, journal.LostSend{
		Op: op.Operation, Seq: 9, Attempt: attempt, Nonce: nonce, Class: "pay", Budgets: "c:c total", Amount: usd("1"),
		Lane: "7", At: s.now, Due: s.now,
	})
	s.must(err)
	s.recount()
	return res
}

func TestResurrect(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a send that was lost is unknown, with its money held, and written once", func(s *store) {
			op := s.queued(operation(planner.AddSeats, "a", 7))
			s.same("first", s.resurrects(op, 1, "lost").Written, true)
			got := s.get(op.ID)
			s.same("state, attempts", []any{got.State, got.Attempts}, []any{planner.Unknown, 1})
			s.holds(capped("10"), "0", "0", "1")
			s.same("again", s.resurrects(op, 1, "lost"), journal.Resurrection{State: planner.Unknown, Nonce: "lost"})
			s.holds(capped("10"), "0", "0", "1")
		}},
		{"an attempt that was made again is told", func(s *store) {
			op := s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "1", free())
			s.same("in flight", s.resurrects(op, 1, "lost"), journal.Resurrection{Twice: true, State: planner.Sending})
			s.ended(op, planner.Applied, costs("1", 7))
			s.same("applied", s.resurrects(op, 1, "lost"), journal.Resurrection{Twice: true, State: planner.Applied})
		}},
		{"what a lost attempt did, and was taken for an earlier one's, was not made twice", func(s *store) {
			op := s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "1", free())
			s.ended(op, planner.Unknown)
			s.ended(op, planner.Applied, costs("1", 7))
			s.same("the second attempt", s.resurrects(op, 2, "lost").State, planner.Applied)
			got := s.get(op.ID)
			s.same("state, attempts", []any{got.State, got.Attempts}, []any{planner.Applied, 2})
			s.same("again", s.resurrects(op, 2, "lost"), journal.Resurrection{State: planner.Applied})
		}},
	})
}
