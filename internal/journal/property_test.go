package journal_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// model is what the books should hold, reckoned with nothing but additions.
type model struct {
	limits []money.USD // by budget
	ops    []*entry
}

type entry struct {
	op       *journal.Op
	state    planner.State
	reserved money.USD
	charged  money.USD
	refunded money.USD
	job      int64
}

func (m *model) committed() (sum money.USD) {
	for _, e := range m.ops {
		sum += e.charged - e.refunded
	}
	return sum
}

func (m *model) held(states ...planner.State) (sum money.USD) {
	for _, e := range m.ops {
		for _, s := range states {
			if e.state == s {
				sum += e.reserved
			}
		}
	}
	return sum
}

// fits tells whether an amount fits into every budget.
func (m *model) fits(amount money.USD) bool {
	all := m.committed() + m.held(planner.Sending, planner.Unknown, planner.Parked)
	for _, limit := range m.limits {
		if all+amount > limit {
			return false
		}
	}
	return true
}

// on is an action on any operation in one of some states. Where there is none, a
// new one is planned, so that every step does something.
func (m *model) on(s *store, do func(*rapid.T, *entry), states ...planner.State) func(*rapid.T) {
	return func(t *rapid.T) {
		if in := m.in(states...); len(in) > 0 {
			do(t, rapid.SampledFrom(in).Draw(t, "operation"))
			return
		}
		m.plan(s)
	}
}

func (m *model) in(states ...planner.State) []*entry {
	var in []*entry
	for _, e := range m.ops {
		for _, s := range states {
			if e.state == s {
				in = append(in, e)
			}
		}
	}
	return in
}

func amounts(most money.USD) *rapid.Generator[money.USD] {
	return rapid.Map(rapid.Int64Range(0, int64(most)), func(n int64) money.USD { return money.USD(n) })
}

func TestAnyOrderOfEventsKeepsTheBooks(t *testing.T) {
	t.Parallel()
	s := newStoreOn(t, memory.New(time.Now).Client())
	rapid.Check(t, func(rt *rapid.T) {
		s.must(s.rdb.FlushDB(s.ctx).Err())
		m := &model{limits: []money.USD{amounts(20*money.Dollar).Draw(rt, "cap"), amounts(20*money.Dollar).Draw(rt, "file cap")}}
		limits := []journal.Limit{{Scope: "c:c", Window: "total", Cap: m.limits[0]}, {Scope: "f:f", Window: "total", Cap: m.limits[1]}}
		to := func(state planner.State) func(*rapid.T, *entry) {
			return func(_ *rapid.T, e *entry) { m.move(s, e, state) }
		}
		begin := func(rt *rapid.T, e *entry) { m.begin(rt, s, e, limits) }
		charge := func(rt *rapid.T, e *entry) { m.charge(rt, s, e) }
		refund := func(rt *rapid.T, e *entry) { m.refund(rt, s, e) }
		rt.Repeat(map[string]func(*rapid.T){
			// The first by its name is drawn most often; this one can always be done.
			"a new one": func(*rapid.T) { m.plan(s) },
			"begin":     m.on(s, begin, planner.Queued),
			"charge":    m.on(s, charge, planner.Sending, planner.Unknown, planner.Parked),
			"doubt":     m.on(s, to(planner.Unknown), planner.Sending, planner.Unknown),
			"park":      m.on(s, to(planner.Parked), planner.Unknown),
			"again":     m.on(s, to(planner.Queued), planner.Sending, planner.Unknown, planner.Parked),
			"reject":    m.on(s, to(planner.Rejected), planner.Queued, planner.Sending, planner.Unknown, planner.Parked),
			"refund":    m.on(s, refund, planner.Applied),
			"":          func(rt *rapid.T) { m.compare(rt, s, limits) },
		})
		s.recount()
	})
}

func (m *model) plan(s *store) {
	m.ops = append(m.ops, &entry{op: s.next(s.word()), state: planner.Queued})
}

func (m *model) begin(t *rapid.T, s *store, e *entry, limits []journal.Limit) {
	amount := amounts(8*money.Dollar).Draw(t, "amount")
	p := s.start(e.op, amount.String(), limits)
	want := journal.OverCap
	if m.fits(amount) {
		want = journal.Through
		e.state, e.reserved = planner.Sending, amount
	}
	if p.Gate != want {
		t.Fatalf("%s: gate is %s, want %s", amount, p.Gate, want)
	}
}

// charge applies an operation at a cost up to what was reserved.
func (m *model) charge(t *rapid.T, s *store, e *entry) {
	cost := amounts(e.reserved).Draw(t, "cost")
	e.job = int64(len(s.word()) + s.words*1000)
	s.ended(e.op, planner.Applied, costs(cost.String(), e.job), makes(10))
	e.state, e.reserved, e.charged = planner.Applied, 0, cost
}

func (m *model) move(s *store, e *entry, to planner.State) {
	s.ended(e.op, to)
	e.state = to
	if to == planner.Queued || to == planner.Rejected {
		e.reserved = 0
	}
}

// refund pauses the job of an applied operation.
func (m *model) refund(t *rapid.T, s *store, e *entry) {
	back := amounts(e.charged-e.refunded).Draw(t, "refund")
	pause := operation(planner.Pause, s.word(), e.job)
	op := s.begun(s.queued(pause), "0", nil)
	s.ended(op, planner.Applied, refunds(back.String()))
	e.refunded += back
}

// compare holds the law of budgets, and each component, after every step.
func (m *model) compare(t *rapid.T, s *store, limits []journal.Limit) {
	all, err := s.Budgets(s.ctx, limits)
	s.must(err)
	for i, b := range all {
		if b.Committed()+b.Reserved+b.Unknown > m.limits[i] {
			t.Fatalf("%s: committed %s + reserved %s + unknown %s > cap %s", b.Scope, b.Committed(), b.Reserved, b.Unknown, m.limits[i])
		}
		got := [3]money.USD{b.Committed(), b.Reserved, b.Unknown}
		want := [3]money.USD{m.committed(), m.held(planner.Sending), m.held(planner.Unknown, planner.Parked)}
		if got != want {
			t.Fatalf("%s: committed, reserved, unknown are %v, want %v", b.Scope, got, want)
		}
	}
}
