package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// roads are the ways from a state to where its money ends.
var roads = []struct {
	claim                        string
	to                           []planner.State
	cost                         string
	committed, reserved, unknown string
}{
	{"sending keeps its reservation", nil, "", "0", "2", "0"},
	{"applied charges it", []planner.State{planner.Applied}, "1.5", "1.5", "0", "0"},
	{"applied at no cost releases it", []planner.State{planner.Applied}, "0", "0", "0", "0"},
	{"applied beyond it charges all", []planner.State{planner.Applied}, "2.5", "2.5", "0", "0"},
	{"rejected releases it", []planner.State{planner.Rejected}, "", "0", "0", "0"},
	{"back in line releases it", []planner.State{planner.Queued}, "", "0", "0", "0"},
	{"unknown keeps it as in doubt", []planner.State{planner.Unknown}, "", "0", "0", "2"},
	{"still unknown keeps it", []planner.State{planner.Unknown, planner.Unknown}, "", "0", "0", "2"},
	{"found done charges it", []planner.State{planner.Unknown, planner.Applied}, "2", "2", "0", "0"},
	{"found not done releases it", []planner.State{planner.Unknown, planner.Queued}, "", "0", "0", "0"},
	{"found impossible releases it", []planner.State{planner.Unknown, planner.Rejected}, "", "0", "0", "0"},
	{"parked keeps it", []planner.State{planner.Unknown, planner.Parked}, "", "0", "0", "2"},
	{"parked at once keeps it", []planner.State{planner.Parked}, "", "0", "0", "2"},
	{"parked and looked at again keeps it", []planner.State{planner.Parked, planner.Unknown}, "", "0", "0", "2"},
	{"resolved as done charges it", []planner.State{planner.Unknown, planner.Parked, planner.Applied}, "2", "2", "0", "0"},
	{"resolved as not done releases it", []planner.State{planner.Unknown, planner.Parked, planner.Rejected}, "", "0", "0", "0"},
	{"resolved and back in line releases it", []planner.State{planner.Unknown, planner.Parked, planner.Queued}, "", "0", "0", "0"},
}

func TestEachRoadOfAReservation(t *testing.T) {
	t.Parallel()
	var checks []check
	for _, road := range roads {
		checks = append(checks, check{road.claim, func(s *store) {
			l := capped("100")
			op := s.begun(s.next("a"), "2", l)
			for i, to := range road.to {
				if i == len(road.to)-1 && to == planner.Applied {
					s.ended(op, to, costs(road.cost, 1), makes(10))
				} else {
					s.ended(op, to)
				}
				s.recount()
			}
			s.holds(l, road.committed, road.reserved, road.unknown)
		}})
	}
	contract(t, checks)
}

func TestSettle(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a create that was applied makes its job", func(s *store) {
			op := s.made("istanbul", 7, "1", free())
			s.same("operation's job", op.JobID, int64(7))
			s.same("cost", *op.Cost, usd("1"))
			s.same("settled at", op.SettledAt, s.now)
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("job", *job, journal.Job{
				ID: 7, Campaign: "c", Item: "istanbul", Slot: epoch, Status: journal.JobOnline,
				Seats: 10, Price: usd("0.05"), Charged: usd("1"), Op: op.ID, Generation: "0", MadeAt: epoch,
			})
		}},
		{"seats that were added count, and open the lane", func(s *store) {
			s.made("a", 7, "1", free())
			op := s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "2", free())
			s.ended(op, planner.Applied, costs("2", 7), func(x *journal.Settlement) { x.SeatsAdded = 20 })
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("seats, charged, lane", []any{job.Seats, job.Charged, job.Lane}, []any{30, usd("3"), ""})
		}},
		{"a pause finishes the job and takes its seats back", func(s *store) {
			s.made("a", 7, "1", free())
			op := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.ended(op, planner.Applied, refunds("0.6"), func(x *journal.Settlement) { x.SeatsAdded = -6 })
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("status, seats, refunded", []any{job.Status, job.Seats, job.Refunded}, []any{journal.JobFinished, 4, usd("0.6")})
			s.holds(free(), "0.4", "0", "0")
		}},
		{"a refund goes to the newest charges, in their own windows", func(s *store) {
			day := func(d string) []journal.Limit { return daily("100", "0", d, campaigns.ResumeManual) }
			s.made("a", 7, "1", day("24"))
			add := s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "2", day("25"))
			s.ended(add, planner.Applied, costs("2", 7))
			pause := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.ended(pause, planner.Applied, refunds("2.25"))
			s.holds(day("25"), "0", "0", "0")
			f, err := s.rdb.HGet(s.ctx, prefix+"budget:c:c:2026-11-24", "refunded").Int64()
			s.must(err)
			s.same("refunded the day before", f, int64(usd("0.25")))
		}},
		{"what is left of a charge takes the next refund", func(s *store) {
			s.made("a", 7, "1", free())
			for range 2 {
				pause := operation(planner.Pause, "a", 7)
				pause.ID += s.word()
				op := s.begun(s.queued(pause), "0", nil)
				s.ended(op, planner.Applied, refunds("0.3"))
			}
			s.holds(free(), "0.4", "0", "0")
		}},
		{"a refund of what we never paid opens no budget", func(s *store) {
			s.made("other", 9, "5", free())
			op := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			s.ended(op, planner.Applied, refunds("3"))
			s.same("committed", s.budget(free()).Committed(), usd("5"))
			account, err := s.Account(s.ctx)
			s.must(err)
			s.same("refunded", account.Refunded, usd("3"))
			s.recount()
		}},
		{"the same word twice books once", func(s *store) {
			l := threshold("10", "1")
			op := s.begun(s.next("a"), "2", l)
			set := journal.Settlement{
				Op: op, From: planner.Sending, Nonce: op.Nonce, Stamp: "stamp", To: planner.Applied, Now: s.now,
				JobID: 7, Made: &journal.Made{Item: "a", Slot: epoch, Seats: 10, Price: 1},
			}
			costs("2", 7)(&set)
			for range 3 {
				closed, err := s.Settle(s.ctx, set)
				s.must(err)
				s.same("closed", closed, []string{"c:c"})
			}
			s.holds(l, "2", "0", "0")
		}},
		{"the same word about a refund books once", func(s *store) {
			s.made("a", 7, "1", free())
			op := s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			set := journal.Settlement{Op: op, From: planner.Sending, Nonce: op.Nonce, Stamp: "s", To: planner.Applied, Now: s.now, JobID: 7, SeatsAdded: -3}
			refunds("0.3")(&set)
			for range 3 {
				_, err := s.Settle(s.ctx, set)
				s.must(err)
			}
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("refunded and seats", []any{job.Refunded, job.Seats}, []any{usd("0.3"), 7})
			s.holds(free(), "0.7", "0", "0")
		}},
		{"a job is made by one create alone", func(s *store) {
			s.made("a", 7, "1", free())
			op := s.begun(s.next("b"), "2", free())
			_, err := s.settled(op, planner.Applied, costs("2", 7), makes(10))
			var taken *journal.ErrTaken
			if !errors.As(err, &taken) || taken.JobID != 7 {
				s.t.Errorf("error is %v, want that job 7 is taken", err)
			}
			s.holds(free(), "1", "2", "0")
		}},
		{"another word on what is settled is a conflict", func(s *store) {
			op := s.begun(s.next("a"), "2", free())
			s.ended(op, planner.Applied, costs("2", 7), makes(10))
			_, err := s.Settle(s.ctx, journal.Settlement{Op: op, From: planner.Sending, Nonce: op.Nonce, Stamp: "x", To: planner.Rejected, Now: s.now})
			s.same("conflict", conflict(err), planner.Applied)
			s.holds(free(), "2", "0", "0")
		}},
		{"the word of another attempt is a conflict", func(s *store) {
			op := s.begun(s.next("a"), "2", free())
			s.ended(op, planner.Queued)
			s.begun(op, "2", free())
			_, err := s.Settle(s.ctx, journal.Settlement{Op: op, From: planner.Sending, Nonce: op.Nonce, Stamp: "x", To: planner.Rejected, Now: s.now})
			if conflict(err) == "" {
				s.t.Errorf("error is %v, want a conflict", err)
			}
			s.holds(free(), "0", "2", "0")
		}},
		{"a sender that was given up still ends the doubt", func(s *store) {
			op := s.begun(s.next("a"), "2", free())
			_, err := s.Settle(s.ctx, journal.Settlement{Op: op, From: planner.Sending, Stamp: "sweeper", To: planner.Unknown, Now: s.now})
			s.must(err)
			set := journal.Settlement{Op: op, From: planner.Unknown, Nonce: op.Nonce, Stamp: "late", To: planner.Applied, Now: s.now, JobID: 7}
			costs("2", 7)(&set)
			_, err = s.Settle(s.ctx, set)
			s.must(err)
			s.holds(free(), "2", "0", "0")
		}},
		{"an operation that is not held cannot be settled", func(s *store) {
			_, err := s.Settle(s.ctx, journal.Settlement{Op: &journal.Op{Operation: operation(planner.Create, "x", 0)}, From: planner.Queued, Stamp: "x", To: planner.Applied, Now: s.now})
			if !errors.Is(err, journal.ErrNotFound) {
				s.t.Errorf("error is %v, want ErrNotFound", err)
			}
		}},
		{"a failure keeps its reason until it is applied", func(s *store) {
			op := s.begun(s.next("a"), "2", free())
			op = s.ended(op, planner.Queued, func(x *journal.Settlement) { x.Error = "too many requests" })
			s.same("reason", op.Error, "too many requests")
			op = s.begun(op, "2", free())
			op = s.ended(op, planner.Applied, costs("2", 7))
			s.same("reason, attempts", []any{op.Error, op.Attempts}, []any{"", 2})
		}},
		{"reads that found nothing are counted, and forgotten by the next attempt", func(s *store) {
			op := s.begun(s.next("a"), "2", free(), func(st *journal.Start) { st.Evidence = "before" })
			s.ended(op, planner.Unknown)
			op = s.ended(op, planner.Unknown, func(x *journal.Settlement) { x.Negative = 2 })
			s.same("reads", op.Negative, 2)
			s.same("evidence", string(op.Evidence), `"before"`)
			s.ended(op, planner.Queued)
			s.same("reads", s.begun(op, "2", free()).Negative, 0)
		}},
		{"what teaches nothing new is not written to the history", func(s *store) {
			op := s.begun(s.next("a"), "2", free())
			op = s.ended(op, planner.Unknown)
			for range 5 {
				s.ended(op, planner.Unknown, func(x *journal.Settlement) { x.Silent = true })
			}
			s.same("history", len(s.get(op.ID).History()), len(op.History()))
		}},
		{"an operation can be put off, and not what is not queued", func(s *store) {
			op := s.next("a")
			s.must(s.Defer(s.ctx, op, s.now, s.now.Add(time.Minute), "busy"))
			op = s.get(op.ID)
			s.same("due and reason", []any{op.Due, op.Error}, []any{s.now.Add(time.Minute), "busy"})
			s.must(s.Defer(s.ctx, op, s.now, s.now.Add(2*time.Minute), "busy"))
			s.same("history", len(s.get(op.ID).History()), 2)
			op = s.begun(op, "1", free())
			s.must(s.Defer(s.ctx, op, s.now, s.now.Add(time.Hour), "late"))
			s.same("due", s.get(op.ID).Due, s.now.Add(90*time.Second))
			s.recount()
		}},
		{"what was rejected may be tried again, what may have spent may not", func(s *store) {
			op := s.begun(s.next("a"), "1", free())
			s.same("sending", conflict(s.Retry(s.ctx, s.now, op.ID, "x")), planner.Sending)
			s.ended(op, planner.Parked)
			s.same("parked", conflict(s.Retry(s.ctx, s.now, op.ID, "x")), planner.Parked)
			s.ended(op, planner.Rejected)
			s.must(s.Retry(s.ctx, s.now, op.ID, "x"))
			s.ended(s.begun(op, "1", free()), planner.Applied, costs("1", 7))
			s.same("applied", conflict(s.Retry(s.ctx, s.now, op.ID, "x")), planner.Applied)
			s.holds(free(), "1", "0", "0")
		}},
		{"the ledger tells each charge, oldest first", func(s *store) {
			entries, err := s.Ledger(s.ctx)
			s.must(err)
			s.same("entries", len(entries), 0)
			for i := range 3 {
				s.made(string(rune('a'+i)), int64(i+1), "1", free())
			}
			entries, err = s.Ledger(s.ctx)
			s.must(err)
			s.same("first", entries[0], journal.LedgerEntry{
				At: s.now, Kind: "charge", Amount: usd("1"), OpID: operation(planner.Create, "a", 0).ID, JobID: 1, Budgets: []string{"c:c total"},
			})
			s.same("entries", len(entries), 3)
		}},
	})
}

func TestJobs(t *testing.T) {
	t.Parallel()
	online := func(id int64, apps int) journal.Sighting {
		return journal.Sighting{ID: id, Status: journal.JobOnline, Applications: apps, Title: "T"}
	}
	contract(t, []check{
		{"what is seen of a job is kept", func(s *store) {
			s.made("a", 7, "1", free())
			pending := 3
			seen := online(7, 5)
			seen.Pending, seen.Status = &pending, journal.JobFinished
			s.must(s.See(s.ctx, s.now, []journal.Sighting{seen, online(99, 1)}))
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("job", []any{job.Status, job.Applications, job.Pending, job.Title, job.SeenAt, job.Filled()},
				[]any{journal.JobFinished, 5, 3, "T", s.now, 5})
			if _, err := s.Job(s.ctx, 99); !errors.Is(err, journal.ErrNotFound) {
				s.t.Errorf("a foreign job: %v, want ErrNotFound", err)
			}
		}},
		{"what is seen while an operation is on its way does not change the status", func(s *store) {
			s.made("a", 7, "1", free())
			s.begun(s.queued(operation(planner.Pause, "a", 7)), "0", nil)
			seen := online(7, 5)
			seen.Status = journal.JobFinished
			s.must(s.See(s.ctx, s.now, []journal.Sighting{seen}))
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("status and applications", []any{job.Status, job.Applications}, []any{journal.JobOnline, 5})
		}},
		{"a job that is gone is gone, and keeps what was known of it", func(s *store) {
			s.made("a", 7, "1", free())
			s.must(s.See(s.ctx, s.now, []journal.Sighting{online(7, 5)}))
			s.begun(s.queued(operation(planner.AddSeats, "a", 7)), "1", free())
			s.must(s.See(s.ctx, s.now, []journal.Sighting{{ID: 7, Status: journal.JobGone}}))
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("job", []any{job.Status, job.Applications, job.Title}, []any{journal.JobGone, 5, "T"})
			s.same("view", job.View().Gone, true)
		}},
		{"the approved are counted, whoever says so and however often", func(s *store) {
			s.made("a", 7, "1", free())
			told := func(status int) {
				s.must(s.KeepAnswers(s.ctx, 7, []journal.Answer{{Application: 1, Status: status, Worker: 5, HandedIn: epoch}}))
			}
			for _, c := range []struct{ status, approved int }{
				{journal.AnswerPending, 0}, {journal.AnswerApproved, 1}, {journal.AnswerApproved, 1}, {journal.AnswerDeclined, 0},
			} {
				told(c.status)
				job, err := s.Job(s.ctx, 7)
				s.must(err)
				s.same("approved", job.Approved, c.approved)
			}
		}},
		{"a job is full when all of its seats were seen taken, the first time", func(s *store) {
			s.made("a", 7, "1", free())
			for i, applications := range []int{9, 10, 10} {
				at := epoch.Add(time.Duration(i+1) * time.Hour)
				s.must(s.See(s.ctx, at, []journal.Sighting{{ID: 7, Status: journal.JobOnline, Applications: applications}}))
			}
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("full at", job.FullAt, epoch.Add(2*time.Hour))
		}},
		{"what was filled before is not consumed, and when it was is not known", func(s *store) {
			s.must(s.Adopt(s.ctx, s.now, journal.Job{ID: 7, Campaign: "c", Status: journal.JobOnline, Seats: 10, Price: usd("0.2"), Applications: 4}))
			for _, c := range []struct {
				applications int
				consumed     string
			}{{4, "0"}, {3, "0"}, {6, "0.4"}, {12, "1.2"}} {
				s.must(s.See(s.ctx, epoch, []journal.Sighting{{ID: 7, Status: journal.JobOnline, Applications: c.applications}}))
				job, err := s.Job(s.ctx, 7)
				s.must(err)
				got, err := job.Consumed()
				s.must(err)
				s.same("consumed", got, usd(c.consumed))
				s.same("full at", job.FullAt, time.Time{})
			}
			_, err := s.Recover(s.ctx, s.now, journal.Recovered{
				Op:  planner.Operation{ID: planner.NewID("c", "create", "old", epoch), Campaign: "c", Action: "create", Item: "old", Kind: planner.Create, Slot: epoch, Seats: 10},
				Job: journal.Job{ID: 8, Status: journal.JobOnline, Seats: 10, Applications: 10}, At: epoch,
			})
			s.must(err)
			s.must(s.See(s.ctx, epoch.Add(time.Hour), []journal.Sighting{{ID: 8, Status: journal.JobFinished, Applications: 10}}))
			job, err := s.Job(s.ctx, 8)
			s.must(err)
			s.same("full at", job.FullAt, time.Time{})
		}},
		{"a job is adopted once, by one campaign", func(s *store) {
			job := journal.Job{ID: 7, Campaign: "c", Item: "7", Status: journal.JobOnline, Seats: 24, Price: usd("0.2"), Applications: 3, Before: 3, Title: "Old", MadeAt: epoch}
			s.must(s.Adopt(s.ctx, s.now, job))
			again := job
			again.Seats = 99
			s.must(s.Adopt(s.ctx, s.now, again))
			got, err := s.Job(s.ctx, 7)
			s.must(err)
			job.Generation = "0"
			s.same("job", *got, job)
			again.Campaign = "d"
			if err := s.Adopt(s.ctx, s.now, again); err == nil {
				s.t.Error("another campaign took the job over")
			}
			all, err := s.AllJobs(s.ctx)
			s.must(err)
			s.same("jobs", len(all), 1)
		}},
		{"jobs are listed by campaign", func(s *store) {
			s.made("a", 7, "1", free())
			s.now = s.now.Add(time.Second)
			s.made("b", 5, "1", free())
			s.must(s.Adopt(s.ctx, s.now, journal.Job{ID: 1, Campaign: "d", Status: journal.JobOnline}))
			jobs, err := s.Jobs(s.ctx, "c")
			s.must(err)
			s.same("ids", []int64{jobs[0].ID, jobs[1].ID}, []int64{7, 5})
			s.same("views", journal.Views(jobs)[0], planner.Job{ID: 7, Item: "a", Slot: epoch, Seats: 10, Online: true})
		}},
		{"quotes and facts are kept", func(s *store) {
			_, known, err := s.Quote(s.ctx, "shape")
			s.must(err)
			s.same("known", known, false)
			s.must(s.KeepQuote(s.ctx, "shape", usd("4.875")))
			cost, known, err := s.Quote(s.ctx, "shape")
			s.must(err)
			s.same("quote", []any{cost, known}, []any{usd("4.875"), true})
			s.must(s.Remember(s.ctx, "seats", "left"))
			fact, err := s.Recall(s.ctx, "seats")
			s.must(err)
			s.same("fact", fact, "left")
			fact, err = s.Recall(s.ctx, "other")
			s.must(err)
			s.same("fact", fact, "")
		}},
		{"alerts replace and leave one another", func(s *store) {
			s.must(s.Alert(s.ctx, s.now, "api", "down"))
			s.must(s.Alert(s.ctx, s.now.Add(time.Second), "api", "still down"))
			s.must(s.Alert(s.ctx, s.now, "job:7", "gone"))
			alerts, err := s.Alerts(s.ctx)
			s.must(err)
			s.same("alerts", alerts, []journal.Alert{
				{Subject: "job:7", At: s.now, Message: "gone"}, {Subject: "api", At: s.now.Add(time.Second), Message: "still down"},
			})
			s.must(s.ClearAlert(s.ctx, "api"))
			alerts, err = s.Alerts(s.ctx)
			s.must(err)
			s.same("alerts left", len(alerts), 1)
		}},
		{"the newest operations come first, by state and number", func(s *store) {
			for _, item := range []string{"a", "b", "c"} {
				s.next(item)
				s.now = s.now.Add(time.Second)
			}
			s.ended(s.next("a"), planner.Skipped)
			ops, err := s.Ops(s.ctx, journal.Filter{State: planner.Queued, Most: 1})
			s.must(err)
			s.same("newest queued", ops[0].Item, "c")
			ops, err = s.Ops(s.ctx, journal.Filter{Campaign: "nobody"})
			s.must(err)
			s.same("of nobody", len(ops), 0)
		}},
		{"money in the books has no upper edge short of the sum of all caps", func(s *store) {
			s.made("a", 1, "9000000", free())
			s.made("b", 2, "9000000", free())
			s.same("committed", s.budget(free()).Committed(), money.USD(18_000_000_000_000))
			s.recount()
		}},
	})
}

// estimated ends a pause of a job with what it brought back at least and at most.
func (s *store) estimated(job int64, refund, most string) {
	s.t.Helper()
	s.ended(s.begun(s.queued(operation(planner.Pause, "a", job)), "0", nil), planner.Applied, func(x *journal.Settlement) {
		back, atMost := usd(refund), usd(most)
		x.Refund, x.RefundAtMost, x.JobID = &back, &atMost, job
	})
}

// reads is a reading of the balance by now.
func (s *store) reads(balance string) journal.Account {
	s.t.Helper()
	before, err := s.Account(s.ctx)
	s.must(err)
	s.must(s.ReadBalance(s.ctx, s.now, usd(balance), before))
	after, err := s.Account(s.ctx)
	s.must(err)
	return after
}

func TestEstimates(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"the balance puts an estimate right", func(s *store) {
			s.reads("100")
			s.made("a", 7, "2", capped("10"))
			s.estimated(7, "1", "1.2")
			s.same("drift", s.reads("99.15").Drift, usd("0"))
			s.holds(capped("10"), "0.85", "0", "0")
			job, err := s.Job(s.ctx, 7)
			s.must(err)
			s.same("refunded", job.Refunded, usd("1.15"))
			s.same("a deposit later is none of it", s.reads("99.2").Drift, usd("-0.05"))
		}},
		{"several are put right by what each may have brought", func(s *store) {
			s.reads("100")
			s.made("a", 7, "2", capped("10"))
			s.made("b", 8, "2", capped("10"))
			s.estimated(7, "1", "1.3")
			s.estimated(8, "0.5", "0.6")
			s.same("drift", s.reads("97.9").Drift, usd("0"))
			for id, back := range map[int64]string{7: "1.3", 8: "0.6"} {
				job, err := s.Job(s.ctx, id)
				s.must(err)
				s.same("refunded", job.Refunded, usd(back))
			}
		}},
		{"more than they may have brought is no refund", func(s *store) {
			s.reads("100")
			s.made("a", 7, "2", capped("10"))
			s.estimated(7, "1", "1.2")
			s.same("drift", s.reads("99.200001").Drift, usd("-0.200001"))
			s.same("drift", s.reads("98.9").Drift, usd("0.1"))
			s.holds(capped("10"), "1", "0", "0")
			s.same("drift", s.reads("99.2").Drift, usd("0"))
		}},
		{"while a purchase waits for a person nothing is told", func(s *store) {
			s.reads("100")
			s.made("a", 7, "2", capped("10"))
			op := s.begun(s.queued(operation(planner.AddSeats, "b", 8)), "1", capped("10"))
			s.ended(op, planner.Unknown)
			s.ended(op, planner.Parked)
			s.estimated(7, "1", "1.2")
			s.same("drift", s.reads("99.1").Drift, usd("-0.1"))
			s.holds(capped("10"), "1", "0", "1")
		}},
		{"what was off before is left as it was", func(s *store) {
			s.reads("100")
			s.same("drift", s.reads("90").Drift, usd("10"))
			s.made("a", 7, "2", capped("10"))
			s.estimated(7, "1", "1.2")
			s.same("drift", s.reads("89.2").Drift, usd("10"))
			s.holds(capped("10"), "0.8", "0", "0")
		}},
	})
}
