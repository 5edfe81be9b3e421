package journal_test

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// recount compares every index, count and sum with all operations and entries.
func (s *store) recount() {
	s.t.Helper()
	ops, err := s.Ops(s.ctx, journal.Filter{})
	s.must(err)
	s.recountStates(ops)
	s.recountLive(ops)
	s.recountMoney(ops)
	s.recountLedger()
}

func (s *store) recountStates(ops []*journal.Op) {
	s.t.Helper()
	states := map[planner.State]int{}
	open := map[planner.State][]string{}
	for _, op := range ops {
		states[op.State]++
		switch op.State {
		case planner.Planned, planner.Queued, planner.Sending, planner.Unknown, planner.Parked:
			open[op.State] = append(open[op.State], op.ID+" "+strconv.FormatInt(op.Due.UnixMilli(), 10))
		}
	}
	counts, err := s.Counts(s.ctx, "")
	s.must(err)
	s.same("counts", counts, states)
	for _, state := range planner.States() {
		rows, err := s.rdb.ZRangeWithScores(s.ctx, prefix+"open:"+string(state), 0, -1).Result()
		s.must(err)
		got := make([]string, 0, len(rows))
		for _, row := range rows {
			got = append(got, fmt.Sprintf("%v %.0f", row.Member, row.Score))
		}
		slices.Sort(got)
		want := append([]string{}, open[state]...)
		slices.Sort(want)
		s.same("open "+string(state), got, want)
	}
}

func (s *store) recountLive(ops []*journal.Op) {
	s.t.Helper()
	live := map[[2]string]int{}
	for _, op := range ops {
		n := 0
		if !op.State.Settled() {
			n = 1
		}
		live[[2]string{op.Campaign, op.Action}] += n
	}
	for key, want := range live {
		got, err := s.Live(s.ctx, key[0], key[1])
		s.must(err)
		s.same(fmt.Sprintf("live of %v", key), got, want)
	}
}

func (s *store) recountMoney(ops []*journal.Op) {
	s.t.Helper()
	var reserved, unknown money.USD
	flying := 0
	for _, op := range ops {
		switch op.State {
		case planner.Sending:
			reserved += op.Reserved
		case planner.Unknown, planner.Parked:
			unknown += op.Reserved
		default:
			s.same("reservation of settled "+op.ID, op.Reserved, money.USD(0))
		}
		if op.Kind.MovesMoney() && (op.State == planner.Sending || op.State == planner.Unknown) {
			flying++
		}
	}
	account, err := s.Account(s.ctx)
	s.must(err)
	s.same("the account's reserved, unknown, in flight",
		[]int64{int64(account.Reserved), int64(account.Unknown), int64(account.Inflight)},
		[]int64{int64(reserved), int64(unknown), int64(flying)})
}

// recountLedger compares the entries with the account and with each window.
func (s *store) recountLedger() {
	s.t.Helper()
	entries, err := s.Ledger(s.ctx)
	s.must(err)
	var charged, refunded money.USD
	windows := map[string]money.USD{}
	for _, e := range entries {
		sign := money.USD(1)
		if e.Kind == "refund" {
			refunded += e.Amount
			sign = -1
		} else {
			charged += e.Amount
		}
		for _, w := range e.Budgets {
			windows[w] += sign * e.Amount
		}
	}
	account, err := s.Account(s.ctx)
	s.must(err)
	s.same("charged and refunded", []money.USD{account.Charged, account.Refunded}, []money.USD{charged, refunded})
	for w, want := range windows {
		var scope, window string
		if _, err := fmt.Sscan(w, &scope, &window); err != nil {
			s.t.Fatalf("budget %q: %v", w, err)
		}
		f, err := s.rdb.HMGet(s.ctx, prefix+"budget:"+scope+":"+window, "charged", "refunded").Result()
		s.must(err)
		s.same("committed of "+w, amount(s, f[0])-amount(s, f[1]), want)
	}
}

func amount(s *store, v any) money.USD {
	s.t.Helper()
	text, ok := v.(string)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	s.must(err)
	return money.USD(n)
}
