package sandbox

import (
	"fmt"
	"slices"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// AddJob makes a job as a person does on the website, and charges for it. What
// is left at zero becomes a labelling job of 100 seats at 0.05 for anyone.
func (s *Sandbox) AddJob(wanted Job) (id int64, err error) {
	wanted = withJobDefaults(wanted)
	cost, err := purchaseCost(wanted.Price, wanted.Seats, wanted.Tweet)
	if err != nil {
		return 0, fmt.Errorf("job %q: %w", wanted.Title, err)
	}
	s.locked(func(m *market) {
		if j := m.addJob(nil, wanted, cost); j != nil {
			id = j.ID
			return
		}
		err = fmt.Errorf("job %q costs %s, but the balance is %s", wanted.Title, cost, m.balance)
	})
	return id, err
}

func withJobDefaults(j Job) Job {
	j.Title = or(j.Title, "Job made on the website")
	j.Price = or(j.Price, cents(5))
	j.Seats = or(j.Seats, 100)
	j.Category = or(j.Category, 201)
	j.Country = or(j.Country, "INT")
	j.Minutes = or(j.Minutes, 5)
	if j.TeamID != 0 {
		j.Country = "0"
	}
	if len(j.Expected) == 0 {
		j.Expected = []string{"Do this job."}
	}
	if len(j.Proof) == 0 {
		j.Proof = []Proof{{"What you found", "text"}}
	}
	j.Taken, j.Applied = 0, 0
	return j
}

// AddApplications has n workers apply at once, whatever the job's limit. It
// fails, with nobody applying, unless the job is online with n free seats; where
// workers run out, those who applied are returned beside the error.
func (s *Sandbox) AddApplications(jobID int64, n int) (ids []int64, err error) {
	return s.apply(jobID, n, nil)
}

// AddApplication has one worker hand in exactly this.
func (s *Sandbox) AddApplication(jobID int64, handed Handed) (id int64, err error) {
	ids, err := s.apply(jobID, 1, &handed)
	if len(ids) == 0 {
		return 0, err
	}
	return ids[0], err
}

func (s *Sandbox) apply(jobID int64, n int, given *Handed) (added []int64, err error) {
	err = s.onJob(jobID, func(m *market, j *job) error {
		if j.Status != JobOnline || j.free() < int64(n) {
			return fmt.Errorf("job %d has status %d and %d free seats; %d workers cannot apply",
				jobID, j.Status, j.free(), n)
		}
		for range n {
			user, found := m.nextWorker(j)
			if !found {
				return fmt.Errorf("job %d: every worker has applied; restart it", jobID)
			}
			added = append(added, m.addApp(j, user, given).ID)
		}
		return nil
	})
	return added, err
}

// HandInAgain has the worker of a not completed application hand in this.
func (s *Sandbox) HandInAgain(appID int64, handed Handed) (err error) {
	s.locked(func(m *market) {
		a := m.app(appID)
		if a == nil || a.Status != AppNotCompleted {
			err = fmt.Errorf("application %d does not wait for another proof", appID)
			return
		}
		m.redo(m.job(a.JobID), a, &handed)
	})
	return err
}

// RateApplication rates as a person does on the website.
func (s *Sandbox) RateApplication(appID int64, status AppStatus, reason string) (err error) {
	s.locked(func(m *market) {
		a := m.app(appID)
		if a == nil || status < AppDeclined || status > AppNotCompleted {
			err = fmt.Errorf("application %d cannot be given status %d", appID, status)
			return
		}
		m.books.add(m.effect(nil, "rate", Effect{JobID: a.JobID, ApplicationID: appID, Status: status}))
		m.setVerdict(a, status, reason)
	})
	return err
}

// EditJob changes a job as a person or a moderator does on the website. No
// money moves, whatever is changed: see BuySeats and FinishJob for that.
func (s *Sandbox) EditJob(id int64, edit func(*Job)) error {
	return s.onJob(id, func(m *market, j *job) error {
		facts := j.Job
		facts.Expected, facts.Proof = slices.Clone(j.Expected), slices.Clone(j.Proof)
		edit(&facts)
		m.replace(j, facts)
		m.books.add(m.effect(nil, "edit", Effect{JobID: id}))
		return nil
	})
}

// BuySeats buys seats on the website: for a finished job as a resume does,
// else as add_seats.
func (s *Sandbox) BuySeats(id int64, n int64) error {
	c := &call{id: id, in: input{fields: map[string]any{"seat_count": fmt.Sprint(n)}}}
	return s.onJob(id, func(m *market, j *job) error {
		buy := m.addSeats
		if j.Status == JobFinished {
			buy = m.resumeJob
		}
		if a := buy(c); a.status != 200 {
			return fmt.Errorf("job %d: %s", id, s.encode(a.body))
		}
		return nil
	})
}

// FinishJob ends a job on the website and refunds its free seats.
func (s *Sandbox) FinishJob(id int64) error {
	return s.onJob(id, func(m *market, j *job) error {
		m.finish(nil, j, "finish")
		return nil
	})
}

// DeleteJob takes a job and its applications away, without a refund.
func (s *Sandbox) DeleteJob(id int64) error {
	return s.onJob(id, func(m *market, j *job) error {
		m.jobs[id-firstJob] = nil
		m.listed.remove(id)
		if list := m.byStatus[j.Status]; list != nil {
			list.remove(id)
		}
		m.books.add(m.effect(nil, "delete", Effect{JobID: id}))
		return nil
	})
}

// Deposit adds to the balance. A negative amount takes away, to nothing at
// most, as somebody else's purchases would.
func (s *Sandbox) Deposit(amount money.USD) {
	s.locked(func(m *market) {
		amount = max(amount, -m.balance)
		m.balance += amount
		m.books.deposited += amount
	})
}

// SetFaults replaces the fault plan. Its requests are counted from now.
func (s *Sandbox) SetFaults(plan Plan) { s.faults.set(s.cfg.Seed, plan) }

// SetCallback changes where callbacks go; empty ends them.
func (s *Sandbox) SetCallback(url string) {
	s.locked(func(m *market) { m.callbackURL = url })
}

func (s *Sandbox) onJob(id int64, do func(*market, *job) error) (err error) {
	s.locked(func(m *market) {
		if j := m.job(id); j != nil {
			err = do(m, j)
			return
		}
		err = fmt.Errorf("there is no job %d", id)
	})
	return err
}
