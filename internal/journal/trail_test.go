package journal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// stand looks at the journal for a holder.
func (s *store) stand(p journal.Presence) journal.Standing {
	s.t.Helper()
	st, err := s.Stand(s.ctx, p)
	s.must(err)
	return st
}

// named gives the journal its name and has begins compare it with holder h.
func (s *store) named(known int64) {
	s.t.Helper()
	s.stand(journal.Presence{ID: "id"})
	s.Follow("id", "h", known)
}

func (s *store) create(item string) *journal.Op {
	s.t.Helper()
	return s.queued(operation(planner.Create, item, 0))
}

// lostSend is the line of a send log about an operation.
func (s *store) lostSend(op planner.Operation, attempt int, nonce, class, lane, budgets, amount string) journal.LostSend {
	return journal.LostSend{
		Op: op, Seq: 7, Attempt: attempt, Nonce: nonce, Class: class, Lane: lane, Budgets: budgets, Amount: usd(amount),
		Evidence: json.RawMessage(`{"read":1}`), At: s.now, Due: s.now.Add(time.Minute),
	}
}

func (s *store) resurrected(l journal.LostSend) journal.Resurrection {
	s.t.Helper()
	res, err := s.Resurrect(s.ctx, s.now.Add(time.Second), l)
	s.must(err)
	s.recount()
	return res
}

func TestNumbersOfSends(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"sends of all holders are numbered as one, and each holder has its own highest", func(s *store) {
			s.named(0)
			first, second := s.start(s.create("a"), "1", free()), s.start(s.create("b"), "1", free())
			s.Follow("id", "other", 0)
			third := s.start(s.create("c"), "1", free())
			s.same("numbers", []int64{first.Seq, second.Seq, third.Seq}, []int64{1, 2, 3})
			seqs, err := s.Seqs(s.ctx)
			s.must(err)
			s.same("by holder", seqs, map[string]int64{"h": 2, "other": 3})
			s.same("known", s.Known(), int64(3))
			st := s.stand(journal.Presence{Holder: "h"})
			s.same("standing", []any{st.ID, st.Seq, st.Sends}, []any{"id", int64(2), int64(3)})
		}},
		{"a begin that is asked for again by the same nonce keeps its number", func(s *store) {
			s.named(0)
			op := s.create("a")
			ask := journal.Start{Op: op, Nonce: "n", Now: s.now, Deadline: s.now, Amount: usd("1"), Limits: free()}
			first, err := s.Begin(s.ctx, ask)
			s.must(err)
			again, err := s.Begin(s.ctx, ask)
			s.must(err)
			s.same("answer", again, first)
			s.same("sends", s.stand(journal.Presence{}).Sends, int64(1))
			s.recount()
		}},
		{"what is not let through gets no number", func(s *store) {
			s.named(0)
			p := s.start(s.create("a"), "2", capped("1"))
			s.same("gate, number", []any{p.Gate, p.Seq}, []any{journal.OverCap, int64(0)})
			s.same("sends", s.stand(journal.Presence{}).Sends, int64(0))
		}},
		{"a journal of another name, or without one, lets nothing through", func(s *store) {
			op := s.create("a")
			s.Follow("id", "h", 0)
			p := s.start(op, "1", free())
			s.same("without a name", []any{p.Gate, p.Detail}, []any{journal.Lost, []string{"", "0"}})
			s.stand(journal.Presence{ID: "another"})
			p = s.start(op, "1", free())
			s.same("of another name", []any{p.Gate, p.Detail}, []any{journal.Lost, []string{"another", "0"}})
			s.same("state", s.get(op.ID).State, planner.Queued)
			s.holds(free(), "0", "0", "0")
		}},
		{"a journal that reaches less than the holder was given lets nothing through", func(s *store) {
			s.named(0)
			s.start(s.create("a"), "1", free())
			op := s.create("b")
			s.Follow("id", "h", 2)
			p := s.start(op, "1", free())
			s.same("gate", []any{p.Gate, p.Detail}, []any{journal.Lost, []string{"id", "1"}})
			s.same("state", s.get(op.ID).State, planner.Queued)
			// What was let through before is not told as lost for what others were given.
			s.Follow("id", "other", 0)
			s.begun(op, "1", free())
		}},
		{"a freeze lets nothing through, and what is under way ends", func(s *store) {
			s.named(0)
			under, op := s.begun(s.create("a"), "1", free()), s.create("b")
			for range 2 {
				s.must(s.Freeze(s.ctx, "id", journal.Freeze{Holder: "h", Reason: "lost writes", At: s.now}))
			}
			s.same("gate", s.start(op, "1", free()).Gate, journal.Frozen)
			silent := journal.Freeze{Holder: "x", Reason: "silent", At: s.now, Absent: true}
			s.must(s.Freeze(s.ctx, "id", silent))
			frozen, err := s.Frozen(s.ctx)
			s.must(err)
			s.same("freezes", len(frozen), 2)
			s.ended(under, planner.Applied, costs("1", 5), makes(10))
			s.holds(free(), "1", "0", "0")
			for range 2 {
				s.must(s.Thaw(s.ctx, "h"))
			}
			alerts, err := s.Alerts(s.ctx)
			s.must(err)
			s.same("alerts while one is left", alerts, []journal.Alert{{Subject: "sends:x", At: s.now, Message: "silent"}})
			frozen, err = s.Frozen(s.ctx)
			s.must(err)
			s.same("freezes", frozen, []journal.Freeze{silent})
			s.same("gate", s.start(op, "1", free()).Gate, journal.Frozen)
			s.must(s.Thaw(s.ctx, "x", "nobody"))
			alerts, err = s.Alerts(s.ctx)
			s.must(err)
			s.same("alerts", len(alerts), 0)
			s.begun(op, "1", free())
		}},
		{"a freeze gives a journal that lost its name the name back", func(s *store) {
			s.must(s.Freeze(s.ctx, "id", journal.Freeze{Holder: "h", Reason: "lost writes", At: s.now}))
			s.must(s.Freeze(s.ctx, "other", journal.Freeze{Holder: "h", Reason: "lost writes", At: s.now}))
			s.same("id", s.stand(journal.Presence{ID: "third"}).ID, "id")
		}},
		{"the numbers are raised, never lowered, and of another journal refused", func(s *store) {
			for range 2 {
				s.must(s.Raise(s.ctx, "id", "h", 9))
			}
			s.must(s.Raise(s.ctx, "id", "h", 4))
			s.must(s.Raise(s.ctx, "id", "other", 3))
			st := s.stand(journal.Presence{Holder: "h"})
			s.same("standing", []any{st.ID, st.Seq, st.Sends}, []any{"id", int64(9), int64(9)})
			if err := s.Raise(s.ctx, "another", "h", 1); err == nil || !strings.Contains(err.Error(), "another journal (id)") {
				s.t.Errorf("raise of another journal: %v", err)
			}
			s.Follow("id", "h", 9)
			s.same("next number", s.start(s.create("a"), "1", free()).Seq, int64(10))
		}},
		{"the roster tells who was seen, who left and what they vouched for", func(s *store) {
			s.stand(journal.Presence{Holder: "a", Name: "host:a", Beat: true, Incarnation: "r1"})
			s.stand(journal.Presence{Holder: "b", Name: "host:b", Beat: true, Left: true, Incarnation: "r1"})
			st := s.stand(journal.Presence{Incarnation: "r2", Also: []string{"b", "c"}})
			got := map[string][]any{}
			for h, r := range st.Runners {
				got[h] = []any{r.Name, r.Left, r.Incarnation}
				if d := st.Clock.Sub(r.Seen); d < 0 || d > time.Minute {
					s.t.Errorf("%s was seen %s before", h, d)
				}
			}
			s.same("roster", got, map[string][]any{"a": {"host:a", false, "r1"}, "b": {"host:b", true, "r2"}, "c": {"c", true, "r2"}})
		}},
	})
}

func TestSendsThatAreWrittenAgain(t *testing.T) {
	t.Parallel()
	const budgets = "c:c total"
	contract(t, []check{
		{"an operation that reads queued again is in doubt, once", func(s *store) {
			op := s.create("a")
			l := s.lostSend(op.Operation, 1, "n", "pay", "", budgets, "2")
			s.same("first", s.resurrected(l), journal.Resurrection{Written: true, State: planner.Unknown, Nonce: "n"})
			s.same("again", s.resurrected(l), journal.Resurrection{State: planner.Unknown, Nonce: "n"})
			got := s.get(op.ID)
			s.same("operation", []any{got.State, got.Attempts, got.Nonce, got.Due.Equal(l.Due), string(got.Evidence)},
				[]any{planner.Unknown, 1, "n", true, `{"read":1}`})
			s.holds(free(), "0", "0", "2")
			s.ended(op, planner.Applied, costs("2", 5), makes(10))
			s.holds(free(), "2", "0", "0")
			s.same("settled", s.resurrected(l).State, planner.Applied)
		}},
		{"an operation that is missing is made", func(s *store) {
			l := s.lostSend(operation(planner.Create, "a", 0), 3, "n", "pay", "", budgets, "2")
			s.same("written", s.resurrected(l).Written, true)
			s.same("again", s.resurrected(l).Written, false)
			got := s.get(l.Op.ID)
			s.same("operation", []any{got.State, got.Attempts, got.Item, got.Kind}, []any{planner.Unknown, 3, "a", planner.Create})
			s.holds(free(), "0", "0", "2")
		}},
		{"it is the truth, whatever the cap says, and nothing more fits then", func(s *store) {
			limits := capped("1")
			l := s.lostSend(operation(planner.Create, "a", 0), 1, "n", "pay", "", budgets, "5")
			s.resurrected(l)
			s.holds(limits, "0", "0", "5")
			s.same("gate", s.start(s.create("b"), "0.01", limits).Gate, journal.OverCap)
		}},
		{"its job is held, unless another operation holds it", func(s *store) {
			s.made("a", 9, "1", free())
			add := operation(planner.AddSeats, "a", 9)
			s.resurrected(s.lostSend(add, 1, "n", "pay", "9", budgets, "1"))
			other := s.queued(operation(planner.Pause, "a", 9))
			p := s.start(other, "0", nil)
			s.same("gate", []any{p.Gate, p.Detail}, []any{journal.Busy, []string{add.ID}})
			s.resurrected(s.lostSend(other.Operation, 1, "m", "refund", "9", "", "0"))
			s.ended(other, planner.Rejected)
			p = s.start(s.queued(operation(planner.Resume, "a", 9)), "0", free())
			s.same("gate once the second ended", []any{p.Gate, p.Detail}, []any{journal.Busy, []string{add.ID}})
			s.ended(s.get(add.ID), planner.Rejected)
			s.holds(free(), "1", "0", "0")
		}},
		{"an earlier attempt that reads open has ended", func(s *store) {
			for _, from := range []planner.State{planner.Sending, planner.Unknown, planner.Parked} {
				op := s.begun(s.create(string(from)), "3", free())
				if from != planner.Sending {
					op = s.ended(op, from)
				}
				before := s.budget(free())
				s.resurrected(s.lostSend(op.Operation, 2, "second of "+string(from), "pay", "", budgets, "3"))
				b := s.budget(free())
				s.same("held", b.Reserved+b.Unknown, before.Reserved+before.Unknown)
				s.same("attempts", s.get(op.ID).Attempts, 2)
				s.ended(op, planner.Rejected)
			}
			s.holds(free(), "0", "0", "0")
			a, err := s.Account(s.ctx)
			s.must(err)
			s.same("in flight", a.Inflight, 0)
		}},
		{"an attempt that was made again without it is told, and changes nothing", func(s *store) {
			again := s.begun(s.create("a"), "1", free())
			s.same("under way", s.resurrected(s.lostSend(again.Operation, 1, "lost", "pay", "", budgets, "1")),
				journal.Resurrection{Twice: true, State: planner.Sending})
			s.ended(again, planner.Applied, costs("1", 5), makes(10))
			s.same("applied", s.resurrected(s.lostSend(again.Operation, 1, "lost", "pay", "", budgets, "1")),
				journal.Resurrection{Twice: true, State: planner.Applied})
			s.holds(free(), "1", "0", "0")
		}},
		{"it is in doubt where what was made again ended without an effect", func(s *store) {
			op := s.begun(s.create("a"), "1", free())
			s.ended(op, planner.Queued)
			l := s.lostSend(op.Operation, 1, "lost", "pay", "", budgets, "2")
			s.same("first", s.resurrected(l), journal.Resurrection{Written: true, State: planner.Unknown, Nonce: "lost"})
			s.same("again", s.resurrected(l).Written, false)
			got := s.get(op.ID)
			s.same("state, attempts", []any{got.State, got.Attempts}, []any{planner.Unknown, 1})
			s.holds(free(), "0", "0", "2")
		}},
		{"it is in doubt where what was being made again ends without an effect", func(s *store) {
			for _, to := range []planner.State{planner.Queued, planner.Rejected} {
				op := s.begun(s.create(string(to)), "1", free())
				s.same("under way", s.resurrected(s.lostSend(op.Operation, 1, "lost", "pay", "", budgets, "1")).Twice, true)
				got := s.ended(op, to)
				s.same("state", got.State, planner.Unknown)
				s.same("error", strings.Contains(got.Error, "an earlier request of it, which the journal had lost, may have been done"), true)
				got = s.ended(got, planner.Queued) // it was read back and was not done
				s.same("state, attempts", []any{got.State, got.Attempts}, []any{planner.Queued, 1})
			}
			s.holds(free(), "0", "0", "0")
		}},
		{"a job that was found by its marker before the log was read is not told as a second one", func(s *store) {
			op := operation(planner.Create, "a", 0)
			s.recovers(op, 9)
			l := s.lostSend(op, 1, "n", "pay", "", budgets, "2")
			for range 2 {
				s.same("known", s.resurrected(l), journal.Resurrection{State: planner.Applied})
			}
			s.holds(free(), "2", "0", "0")
		}},
		{"what a lost attempt did, and was taken for an earlier one's, was not made twice", func(s *store) {
			op := s.begun(s.create("a"), "1", free())
			s.ended(op, planner.Unknown)
			s.ended(op, planner.Applied, costs("1", 5), makes(10))
			l := s.lostSend(op.Operation, 2, "lost", "pay", "", budgets, "1")
			for range 2 {
				s.same("the second attempt", s.resurrected(l), journal.Resurrection{State: planner.Applied})
			}
			got := s.get(op.ID)
			s.same("state, attempts", []any{got.State, got.Attempts}, []any{planner.Applied, 2})
			s.holds(free(), "1", "0", "0")
		}},
		{"attempts before the last one stay known", func(s *store) {
			op := s.create("a")
			first := s.begun(op, "1", free())
			s.ended(op, planner.Queued)
			second := s.begun(op, "1", free())
			res := s.resurrected(s.lostSend(op.Operation, 1, first.Nonce, "pay", "", budgets, "1"))
			s.same("known", res, journal.Resurrection{State: planner.Sending, Nonce: second.Nonce})
			s.holds(free(), "0", "1", "0")
		}},
		{"a rating holds no money", func(s *store) {
			rating := planner.OnApplication("c", "rate", "a", 9, planner.Rating{ApplicationID: 100, Verdict: campaigns.Approve, Proof: "0000"}, epoch)
			s.resurrected(s.lostSend(rating, 1, "n", "", "", "", "0"))
			s.same("state", s.get(rating.ID).State, planner.Unknown)
			s.holds(free(), "0", "0", "0")
			a, err := s.Account(s.ctx)
			s.must(err)
			s.same("in flight", a.Inflight, 0)
		}},
	})
}
