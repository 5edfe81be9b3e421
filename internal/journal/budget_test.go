package journal_test

import (
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// daily is a budget of campaign c in the window of a day of November.
func daily(limit, pauseAt, day string, resume campaigns.ResumePolicy) []journal.Limit {
	return []journal.Limit{{
		Scope: "c:c", Window: "2026-11-" + day, Cap: usd(limit), PauseAt: usd(pauseAt),
		Measure: campaigns.MeasureCommitted, Resume: resume,
	}}
}

func threshold(limit, pauseAt string) []journal.Limit {
	l := capped(limit)
	l[0].PauseAt, l[0].Measure = usd(pauseAt), campaigns.MeasureCommitted
	return l
}

func (s *store) next(item string) *journal.Op { return s.queued(operation(planner.Create, item, 0)) }

func TestBudgets(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a cap holds to the micro-dollar", func(s *store) {
			l := capped("4.875")
			s.begun(s.next("a"), "4.000001", l)
			p := s.refuses(journal.OverCap, s.next("b"), "0.875", l)
			s.same("detail", p.Detail, []string{"c:c", "total", "874999"})
			s.begun(s.next("c"), "0.874999", l)
			s.refuses(journal.OverCap, s.next("d"), "0.000001", l)
			s.holds(l, "0", "4.875", "0")
		}},
		{"amounts beyond 14 digits stay exact", func(s *store) {
			l := capped("9000000")
			s.made("a", 1, "4500000.000001", l)
			s.made("b", 2, "4499999.999998", l)
			s.refuses(journal.OverCap, s.next("c"), "0.000002", l)
			s.begun(s.next("d"), "0.000001", l)
			s.holds(l, "8999999.999999", "0.000001", "0")
		}},
		{"all budgets take an amount or none does", func(s *store) {
			l := append(capped("10"), journal.Limit{Scope: "f:file", Window: "total", Cap: usd("1")})
			s.refuses(journal.OverCap, s.next("a"), "2", l)
			s.holds(l, "0", "0", "0")
			s.begun(s.next("b"), "1", l)
			s.holds(l[1:], "0", "1", "0")
			s.holds(l[:1], "0", "1", "0")
		}},
		{"what is in doubt counts against the cap", func(s *store) {
			l := capped("2")
			op := s.begun(s.next("a"), "1.5", l)
			s.ended(op, planner.Unknown)
			s.refuses(journal.OverCap, s.next("b"), "1", l)
			s.ended(op, planner.Parked)
			s.refuses(journal.OverCap, s.next("b"), "1", l)
			s.holds(l, "0", "0", "1.5")
			s.ended(op, planner.Canceled)
			s.begun(s.next("b"), "1", l)
		}},
		{"a cap that was lowered below what is spent lets nothing more pass", func(s *store) {
			s.made("a", 1, "5", capped("10"))
			s.refuses(journal.OverCap, s.next("b"), "0.000001", capped("3"))
			s.same("headroom", s.budget(capped("3")).Headroom(), money.USD(0))
			s.begun(s.next("c"), "1", capped("6"))
		}},
		{"without a cap there is no end", func(s *store) {
			s.made("a", 1, "8000000", free())
			s.begun(s.next("b"), "8000000", free())
			s.same("headroom", s.budget(free()).Headroom(), money.USD(0))
		}},
		{"a new window begins empty", func(s *store) {
			s.made("a", 1, "2", daily("2", "0", "24", ""))
			s.refuses(journal.OverCap, s.next("b"), "1", daily("2", "0", "24", ""))
			s.made("c", 2, "2", daily("2", "0", "25", ""))
			s.holds(daily("2", "0", "25", ""), "2", "0", "0")
		}},
		{"a clock that goes back opens no past window again", func(s *store) {
			s.made("a", 1, "1", daily("2", "0", "25", ""))
			s.refuses(journal.OverCap, s.next("b"), "1.5", daily("2", "0", "24", ""))
			s.same("window", s.budget(daily("2", "0", "24", "")).Window, "2026-11-25")
		}},
		{"what was reserved in a window is charged in it", func(s *store) {
			op := s.begun(s.next("a"), "2", daily("2", "0", "24", ""))
			s.begun(s.next("b"), "1", daily("2", "0", "25", ""))
			s.ended(op, planner.Applied, costs("2", 1), makes(10))
			s.holds(daily("2", "0", "25", ""), "0", "1", "0")
			f, err := s.rdb.HGet(s.ctx, prefix+"budget:c:c:2026-11-24", "charged").Int64()
			s.must(err)
			s.same("charged the day before", f, int64(usd("2")))
		}},
		{"a budget edited to a total knows what windows before it spent", func(s *store) {
			s.made("a", 1, "2", daily("2", "0", "24", ""))
			s.begun(s.next("b"), "1", daily("2", "0", "25", ""))
			p := s.refuses(journal.OverCap, s.next("c"), "1.5", capped("4"))
			s.same("left", p.Detail[2], "1000000")
			s.begun(s.next("d"), "1", capped("4"))
		}},
		{"a budget edited to another period is not stuck in the old one", func(s *store) {
			s.made("a", 1, "2", capped("2"))
			month := []journal.Limit{{Scope: "c:c", Window: "2026-11", Cap: usd("2")}}
			s.made("b", 2, "2", month)
			s.refuses(journal.OverCap, s.next("c"), "1", month)
			month[0].Window = "2026-12"
			s.begun(s.next("d"), "1", month)
			s.same("window", s.budget(month).Window, "2026-12")
		}},
		{"the threshold closes the budget in the write that reaches it", func(s *store) {
			l := threshold("10", "3")
			op := s.begun(s.next("a"), "2.999999", l)
			closed, err := s.settled(op, planner.Applied, costs("2.999999", 1), makes(10))
			s.must(err)
			s.same("closed below it", len(closed), 0)
			op = s.begun(s.next("b"), "0.000001", l)
			closed, err = s.settled(op, planner.Applied, costs("0.000001", 2), makes(10))
			s.must(err)
			s.same("closed", closed, []string{"c:c"})
			s.same("latched", s.budget(l).Latched, s.now)
			scopes, err := s.LatchedScopes(s.ctx)
			s.must(err)
			s.same("scopes", scopes, []string{"c:c"})
			s.refuses(journal.Latched, s.next("c"), "1", l)
		}},
		{"a charge behind a closed latch is told too", func(s *store) {
			l := threshold("10", "3")
			a, b := s.begun(s.next("a"), "3", l), s.begun(s.next("b"), "3", l)
			s.ended(a, planner.Applied, costs("3", 1), makes(10))
			closed, err := s.settled(b, planner.Applied, costs("3", 2), makes(10))
			s.must(err)
			s.same("closed", closed, []string{"c:c"})
		}},
		{"a threshold that was lowered closes at the next question", func(s *store) {
			s.made("a", 1, "3", threshold("10", "5"))
			s.refuses(journal.Latched, s.next("b"), "1", threshold("10", "2"))
			scopes, err := s.LatchedScopes(s.ctx)
			s.must(err)
			s.same("scopes", scopes, []string{"c:c"})
		}},
		{"refunds do not open a latch", func(s *store) {
			l := threshold("10", "3")
			s.made("a", 1, "3", l)
			pause := s.begun(s.queued(operation(planner.Pause, "a", 1)), "0", nil)
			s.ended(pause, planner.Applied, refunds("3"))
			s.refuses(journal.Latched, s.next("b"), "1", l)
			s.holds(l, "0", "0", "0")
		}},
		{"a person opens it for its window", func(s *store) {
			l := threshold("10", "3")
			s.made("a", 1, "3", l)
			was, err := s.Unlatch(s.ctx, "c:c")
			s.must(err)
			s.same("was closed", was, true)
			s.made("b", 2, "3", l)
			s.same("latched again", s.budget(l).Latched.IsZero(), true)
			was, err = s.Unlatch(s.ctx, "c:c")
			s.must(err)
			s.same("was closed", was, false)
		}},
		{"what was opened closes again in the next window", func(s *store) {
			l := daily("10", "3", "24", campaigns.ResumeManual)
			s.made("a", 1, "3", l)
			_, err := s.Unlatch(s.ctx, "c:c")
			s.must(err)
			l = daily("10", "3", "25", campaigns.ResumeManual)
			s.made("b", 2, "3", l)
			s.refuses(journal.Latched, s.next("c"), "1", l)
		}},
		{"resume: window opens it with the next window", func(s *store) {
			l := daily("10", "3", "24", campaigns.ResumeWindow)
			s.made("a", 1, "3", l)
			s.refuses(journal.Latched, s.next("b"), "1", l)
			l = daily("10", "3", "25", campaigns.ResumeWindow)
			s.same("latched by then", s.budget(l).Latched.IsZero(), true)
			s.begun(s.next("b"), "1", l)
			scopes, err := s.LatchedScopes(s.ctx)
			s.must(err)
			s.same("scopes", len(scopes), 0)
		}},
		{"resume: manual stays closed in the next window", func(s *store) {
			s.made("a", 1, "3", daily("10", "3", "24", campaigns.ResumeManual))
			s.refuses(journal.Latched, s.next("b"), "1", daily("10", "3", "25", campaigns.ResumeManual))
		}},
		{"a late charge of a past window does not close the present one", func(s *store) {
			late := s.begun(s.next("a"), "3", daily("10", "3", "24", ""))
			s.begun(s.next("b"), "1", daily("10", "3", "25", ""))
			closed, err := s.settled(late, planner.Applied, costs("3", 1), makes(10))
			s.must(err)
			s.same("closed", len(closed), 0)
		}},
		{"a budget of what is consumed closes by that", func(s *store) {
			l := threshold("10", "3")
			l[0].Measure = campaigns.MeasureConsumed
			s.made("a", 1, "5", l)
			for _, c := range []struct {
				amount string
				closed bool
			}{{"2.999999", false}, {"3", true}, {"4", false}} {
				closed, err := s.Consume(s.ctx, s.now, l[0], usd(c.amount))
				s.must(err)
				s.same("closed at "+c.amount, closed, c.closed)
			}
			s.same("consumed", s.budget(l).Consumed, usd("4"))
			s.refuses(journal.Latched, s.next("b"), "1", l)
		}},
		{"what is consumed counts in the window in which it was", func(s *store) {
			for _, c := range []struct{ day, worth, consumed, all string }{
				{"24", "2", "2", "2"}, {"24", "2", "2", "2"}, {"25", "2.5", "0.5", "2.5"}, {"25", "3", "1", "3"},
			} {
				l := daily("10", "3", c.day, "")
				l[0].Measure = campaigns.MeasureConsumed
				_, err := s.Consume(s.ctx, s.now, l[0], usd(c.worth))
				s.must(err)
				s.same("consumed on "+c.day, s.budget(l).Consumed, usd(c.consumed))
				l[0].Window = "total"
				s.same("in all", s.budget(l).Consumed, usd(c.all))
			}
		}},
		{"limits are the campaign's and its file's", func(s *store) {
			c := campaign("c")
			c.FileBudget = &campaigns.Budget{Cap: usd("5"), Per: campaigns.PerMonth, Timezone: "UTC"}
			got := journal.Limits(c, epoch)
			s.same("limits", got, []journal.Limit{
				{Scope: "c:c", Window: "total", Cap: -1},
				{Scope: "f:file", Window: "2026-11", Cap: usd("5")},
			})
			c.Source = "a b/ü"
			s.begun(s.next("a"), "1", journal.Limits(c, epoch.Add(time.Hour)))
			s.holds(journal.Limits(c, epoch)[1:], "0", "1", "0")
		}},
	})
}
