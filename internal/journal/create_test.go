package journal_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// slot is one occurrence of action c/a, from a watermark to another.
func slot(from, to time.Time) *journal.Occurrence {
	return &journal.Occurrence{Campaign: "c", Action: "a", Expected: from, Watermark: to, Next: to.Add(time.Hour)}
}

func many(n int) []journal.New {
	ops := make([]planner.Operation, n)
	for i := range ops {
		ops[i] = operation(planner.Create, fmt.Sprint(i), 0)
	}
	return journal.Queue(ops)
}

func TestCreate(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"an operation is written as it was planned", func(s *store) {
			op := operation(planner.AddSeats, "a", 7)
			op.Seats = 20
			got := s.queued(op)
			s.same("operation", got.Operation, op)
			s.same("state", got.State, planner.Queued)
			s.same("times", []time.Time{got.CreatedAt, got.UpdatedAt, got.Due}, []time.Time{epoch, epoch, epoch})
			s.same("history", len(got.History()), 1)
			s.recount()
		}},
		{"the same identity is written once, and stays as it is", func(s *store) {
			op := operation(planner.Create, "a", 0)
			s.queued(op)
			op.Seats = 99
			ids, err := s.Create(s.ctx, s.now, nil, journal.Queue([]planner.Operation{op}))
			s.must(err)
			s.same("new ids", len(ids), 0)
			s.same("seats", s.get(op.ID).Seats, 0)
			s.recount()
		}},
		{"more operations than one script takes are all written", func(s *store) {
			ids, err := s.Create(s.ctx, s.now, nil, many(450))
			s.must(err)
			s.same("new ids", len(ids), 450)
			ops, err := s.Ops(s.ctx, journal.Filter{Campaign: "c"})
			s.must(err)
			s.same("listed", len(ops), 450)
			s.recount()
		}},
		{"no operations are no change", func(s *store) {
			ids, err := s.Create(s.ctx, s.now, nil, nil)
			s.must(err)
			s.same("new ids", len(ids), 0)
		}},
		{"a skipped operation is settled with its reason", func(s *store) {
			rows := many(1)
			rows[0].State, rows[0].Error = planner.Skipped, "too late"
			_, err := s.Create(s.ctx, s.now, nil, rows)
			s.must(err)
			op := s.get(rows[0].ID)
			s.same("state and reason", []string{string(op.State), op.Error}, []string{"skipped", "too late"})
			s.same("settled at", op.SettledAt, epoch)
			s.recount()
		}},
		{"an occurrence moves the watermark with its operations", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			occ := slot(epoch, epoch.Add(time.Hour))
			occ.Missed, occ.Review = 3, epoch
			_, err := s.Create(s.ctx, s.now, occ, many(2))
			s.must(err)
			entries, err := s.Entries(s.ctx, "c", []string{"a"})
			s.must(err)
			s.same("watermark", entries[0].Watermark, epoch.Add(time.Hour))
			due, err := s.DueEntries(s.ctx, epoch.Add(2*time.Hour-time.Millisecond), 10)
			s.must(err)
			s.same("due before its time", len(due), 0)
			missed, err := s.Missed(s.ctx, "c", "a")
			s.must(err)
			s.same("missed", missed, 3)
			reviews, err := s.Reviews(s.ctx)
			s.must(err)
			s.same("reviews", reviews, []journal.Review{{Campaign: "c", Action: "a", Slot: epoch}})
			s.must(s.FinishReview(s.ctx, reviews[0]))
			reviews, err = s.Reviews(s.ctx)
			s.must(err)
			s.same("reviews left", len(reviews), 0)
		}},
		{"an occurrence that was planned by another changes nothing", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			_, err := s.Create(s.ctx, s.now, slot(epoch, epoch.Add(time.Hour)), many(1))
			s.must(err)
			_, err = s.Create(s.ctx, s.now, slot(epoch, epoch.Add(2*time.Hour)), many(3))
			if !errors.Is(err, journal.ErrMoved) {
				s.t.Errorf("error is %v, want ErrMoved", err)
			}
			counts, err := s.Counts(s.ctx, "c")
			s.must(err)
			s.same("queued", counts[planner.Queued], 1)
		}},
		{"an action that was removed plans nothing", func(s *store) {
			_, err := s.Create(s.ctx, s.now, slot(epoch, epoch.Add(time.Hour)), many(1))
			if !errors.Is(err, journal.ErrNotFound) {
				s.t.Errorf("error is %v, want ErrNotFound", err)
			}
			s.recount()
		}},
		{"a scheduler that lost its lease plans nothing", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			old, err := s.Lead(s.ctx, "one", "", time.Minute)
			s.must(err)
			s.must(s.Yield(s.ctx, "one"))
			fence, err := s.Lead(s.ctx, "two", "", time.Minute)
			s.must(err)
			occ := slot(epoch, epoch.Add(time.Hour))
			occ.Fence = old
			if _, err = s.Create(s.ctx, s.now, occ, many(1)); !errors.Is(err, journal.ErrFenced) {
				s.t.Errorf("error is %v, want ErrFenced", err)
			}
			occ.Fence = fence
			_, err = s.Create(s.ctx, s.now, occ, many(1))
			s.must(err)
		}},
		{"a crash between two scripts plans the rest under the same identities", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			rows := many(450)
			_, err := s.Create(s.ctx, s.now, nil, rows[:200]) // as far as it came
			s.must(err)
			ids, err := s.Create(s.ctx, s.now, slot(epoch, epoch.Add(time.Hour)), rows)
			s.must(err)
			s.same("written after the crash", len(ids), 250)
			s.recount()
		}},
		{"an operation whose last slot has passed leaves the schedule", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			occ := slot(epoch, epoch.Add(time.Hour))
			occ.Next = time.Time{}
			_, err := s.Create(s.ctx, s.now, occ, nil)
			s.must(err)
			due, err := s.DueEntries(s.ctx, epoch.Add(1000*time.Hour), 10)
			s.must(err)
			s.same("due", len(due), 0)
		}},
	})
}
