package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// ratings writes n ratings of campaign c, on job 9.
func (s *store) ratings(n int) []*journal.Op {
	s.t.Helper()
	out := make([]*journal.Op, n)
	for i := range out {
		out[i] = s.queued(planner.OnApplication("c", "rate", "a", 9, planner.Rating{
			ApplicationID: int64(100 + i), Verdict: campaigns.Approve, Proof: "0000",
		}, epoch))
	}
	return out
}

// page asks for a page to be let through, each operation by a new nonce.
func (s *store) page(ops ...*journal.Op) ([]journal.Start, []journal.Passage) {
	s.t.Helper()
	starts := make([]journal.Start, len(ops))
	for i, op := range ops {
		starts[i] = journal.Start{Op: op, Nonce: s.word()}
	}
	passages, err := s.BeginPage(s.ctx, s.now, s.now.Add(90*time.Second), starts)
	s.must(err)
	s.recount()
	return starts, passages
}

// outcomes are those of a page that was let through.
func (s *store) outcomes(starts []journal.Start) []journal.Settlement {
	out := make([]journal.Settlement, len(starts))
	for i, st := range starts {
		out[i] = journal.Settlement{
			Op: s.get(st.Op.ID), From: planner.Sending, Nonce: st.Nonce, Stamp: s.word(), To: planner.Applied, Now: s.now, JobID: 9, Note: "approve",
		}
	}
	return out
}

func gates(passages []journal.Passage) []string {
	out := make([]string, len(passages))
	for i, p := range passages {
		out[i] = fmt.Sprintf("%s %d", p.Gate, p.Attempt)
	}
	return out
}

func TestPages(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a page is begun and settled as each of it would be alone", func(s *store) {
			ops := s.ratings(4)
			starts, passages := s.page(ops[:3]...)
			s.same("gates", gates(passages), []string{"ok 1", "ok 1", "ok 1"})
			alone := s.begun(ops[3], "0", nil)
			written, err := s.SettlePage(s.ctx, s.now, s.outcomes(starts))
			s.must(err)
			s.same("written", written, []bool{true, true, true})
			s.ended(alone, planner.Applied, func(set *journal.Settlement) { set.Note = "approve" })
			s.recount()
			want := s.get(ops[3].ID)
			for _, op := range ops[:3] {
				got := s.get(op.ID)
				got.ID, got.Operation, got.Doc = want.ID, want.Operation, want.Doc
				s.same("operation of a page", got, want)
			}
		}},
		{"each answer of a page is its own", func(s *store) {
			ops := s.ratings(4)
			s.begun(ops[0], "0", nil)
			s.ended(ops[1], planner.Canceled)
			missing := *ops[3]
			missing.ID = "c/rate/1-0000/20261124T120000Z"
			_, passages := s.page(ops[0], ops[1], ops[2], &missing)
			s.same("gates", gates(passages), []string{"state 0", "state 0", "ok 1", "gone 0"})
		}},
		{"a page that is asked for again by the same nonces is let through as before", func(s *store) {
			starts, _ := s.page(s.ratings(3)...)
			again, err := s.BeginPage(s.ctx, s.now, s.now, starts)
			s.must(err)
			s.same("gates", gates(again), []string{"ok 1", "ok 1", "ok 1"})
			list := s.outcomes(starts)
			for range 2 {
				written, err := s.SettlePage(s.ctx, s.now, list)
				s.must(err)
				s.same("written", written, []bool{true, true, true})
				s.recount()
			}
			s.same("history", len(s.get(starts[0].Op.ID).History()), 3)
			other := starts
			other[0].Nonce = "another"
			third, err := s.BeginPage(s.ctx, s.now, s.now, other)
			s.must(err)
			s.same("gates once settled", gates(third), []string{"state 0", "state 0", "state 0"})
		}},
		{"a paused campaign and a stop hold a page, a freeze refuses it", func(s *store) {
			s.registered(campaign("c"))
			ops := s.ratings(2)
			s.must(s.rdb.HSet(s.ctx, prefix+"campaign:c", "state", "paused", "reason", "dear").Err())
			_, passages := s.page(ops...)
			s.same("gates", gates(passages), []string{"paused 0", "paused 0"})
			s.same("reason", passages[0].Detail[0], "dear")
			s.must(s.rdb.HSet(s.ctx, prefix+"campaign:c", "state", "removed").Err())
			_, passages = s.page(ops...)
			s.same("gates", gates(passages), []string{"removed 0", "removed 0"})
			s.must(s.rdb.HSet(s.ctx, prefix+"campaign:c", "state", "active").Err())
			s.must(s.Freeze(s.ctx, "", journal.Freeze{Holder: "h", Reason: "lost writes", At: s.now}))
			_, passages = s.page(ops...)
			s.same("gates", gates(passages), []string{"frozen 0", "frozen 0"})
		}},
		{"a page numbers its sends, and a journal that forgot some is told as lost", func(s *store) {
			_, err := s.Stand(s.ctx, journal.Presence{ID: "id", Holder: "h", Name: "n"})
			s.must(err)
			s.Follow("id", "h", 0)
			ops := s.ratings(4)
			_, passages := s.page(ops[0], ops[1])
			s.same("numbers", []int64{passages[0].Seq, passages[1].Seq, s.Known()}, []int64{1, 2, 2})
			s.must(s.rdb.HSet(s.ctx, prefix+"seqs", "h", 1).Err())
			_, passages = s.page(ops[2], ops[3])
			s.same("gates", gates(passages), []string{"lost 0", "lost 0"})
			s.same("state", s.get(ops[2].ID).State, planner.Queued)
		}},
		{"what was given up meanwhile, or moves money, is not settled by a page", func(s *store) {
			starts, _ := s.page(s.ratings(2)...)
			list := s.outcomes(starts)
			s.ended(starts[0].Op, planner.Unknown)
			list[1].Nonce = "another"
			create := s.begun(s.queued(operation(planner.Create, "z", 0)), "1", free())
			list = append(list, journal.Settlement{Op: create, From: planner.Sending, Nonce: create.Nonce, Stamp: s.word(), To: planner.Applied, Now: s.now})
			written, err := s.SettlePage(s.ctx, s.now, list)
			s.must(err)
			s.same("written", written, []bool{false, false, false})
			s.recount()
			_, err = s.BeginPage(s.ctx, s.now, s.now, []journal.Start{{Op: create, Nonce: "x"}})
			if err == nil {
				s.t.Error("a create was begun with a page")
			}
		}},
		{"a rating that was tried before keeps its attempts and its history", func(s *store) {
			op := s.ratings(1)[0]
			s.begun(op, "0", nil)
			s.ended(op, planner.Unknown, func(set *journal.Settlement) { set.Negative, set.Error = 1, "in doubt" })
			s.ended(op, planner.Queued, func(set *journal.Settlement) { set.Note = "it was not done" })
			starts, passages := s.page(s.get(op.ID))
			s.same("gates", gates(passages), []string{"ok 2"})
			got := s.get(op.ID)
			s.same("negative reads, error", []any{got.Negative, got.Error}, []any{0, ""})
			_, err := s.SettlePage(s.ctx, s.now, s.outcomes(starts))
			s.must(err)
			s.same("history", len(s.get(op.ID).History()), 6)
		}},
	})
}
