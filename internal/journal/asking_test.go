package journal_test

import (
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// asks takes the leave to ask what a create costs, or is refused.
func (s *store) asks(want bool, op *journal.Op, token string, after time.Duration) {
	s.t.Helper()
	got, err := s.Asking(s.ctx, op.ID, token, after)
	s.must(err)
	s.same("leave to ask", got, want)
}

func TestAsking(t *testing.T) {
	t.Parallel()
	asked := func(token string) func(*journal.Start) { return func(st *journal.Start) { st.Question = token } }
	contract(t, []check{
		{"one asks at a time, and only for what is queued", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			s.asks(true, op, "A", 0)
			s.asks(false, op, "B", 0)
			s.asks(false, op, "B", time.Hour)
			s.must(s.Answered(s.ctx, op.ID, "B", false)) // it is not B's to end
			s.asks(false, op, "B", 0)
			s.must(s.Answered(s.ctx, op.ID, "A", false))
			s.same("asked", s.get(op.ID).Asked, false)
			s.asks(true, op, "B", 0)
			s.asks(false, s.begun(s.queued(operation(planner.Create, "b", 0)), "1", free()), "A", 0)
		}},
		{"an answer that was lost is told, and taken over by who looks for it", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			s.asks(true, op, "A", 0)
			s.must(s.Answered(s.ctx, op.ID, "A", true))
			s.same("asked", s.get(op.ID).Asked, true)
			s.asks(false, op, "B", 0)
			s.asks(true, op, "B", time.Hour)
			s.asks(false, op, "C", time.Hour)
		}},
		{"a question that nobody answers is taken over in the end", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			s.asks(true, op, "A", 0)
			s.asks(true, op, "B", time.Nanosecond)
			s.refuses(journal.Asked, s.get(op.ID), "1", free(), asked("A"))
		}},
		{"what another one asks the price of is not bought", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			s.asks(true, op, "A", 0)
			s.refuses(journal.Asked, s.get(op.ID), "1", free())
			s.refuses(journal.Asked, s.get(op.ID), "1", free(), asked("B"))
			s.same("gate", s.start(s.get(op.ID), "1", free(), asked("A")).Gate, journal.Through)
			s.same("asked", s.get(op.ID).Asked, false)
		}},
		{"nor what an answer was lost for", func(s *store) {
			op := s.queued(operation(planner.Create, "a", 0))
			s.asks(true, op, "A", 0)
			s.must(s.Answered(s.ctx, op.ID, "A", true))
			s.refuses(journal.Asked, s.get(op.ID), "1", free())
			s.refuses(journal.Asked, s.get(op.ID), "1", free(), asked("A"))
		}},
	})
}
