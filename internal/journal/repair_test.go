package journal_test

import (
	"errors"
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
		{"a journal that forgot what a send log told is not filled from markers", func(s *store) {
			s.named(0)
			op := operation(planner.Create, "a", 0)
			r := journal.Recovered{
				Op: op, Cost: usd("2"), At: s.now, Limits: capped("10"), Compared: map[string]int64{"h": 3},
				Job: journal.Job{ID: 9, Item: op.Item, Slot: op.Slot, Seats: 10, Price: usd("0.1"), Status: journal.JobOnline},
			}
			if wrote, err := s.Recover(s.ctx, s.now, r); wrote || !errors.Is(err, journal.ErrLostAgain) {
				s.t.Errorf("recovered: %t %v, want %v", wrote, err, journal.ErrLostAgain)
			}
			s.holds(capped("10"), "0", "0", "0")
			s.must(s.Raise(s.ctx, "id", "h", 3))
			wrote, err := s.Recover(s.ctx, s.now, r)
			s.must(err)
			s.same("recovered", wrote, true)
			s.holds(capped("10"), "2", "0", "0")
		}},
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
