package sandbox

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Where the ids begin, and how far a request may reach.
const (
	firstJob    = 15341
	firstApp    = 501000
	firstTeam   = 1234
	firstMember = 17
	maxID       = 1 << 53
	maxSeats    = 100_000
)

// market is the state of the marketplace. It knows nothing of HTTP and takes no
// lock: the Sandbox calls it under its own.
type market struct {
	cfg Config
	// now is the time up to which everything has happened.
	now         time.Time
	agenda      agenda
	balance     money.USD
	books       books
	callbackURL string
	// notify hands a callback over; it must not block.
	notify func(notice)

	// jobs and apps are indexed by id minus the first id; nil once deleted.
	jobs []*job
	apps []*Application
	// listed holds the job ids that the lists show, all and by status.
	listed   ids
	byStatus map[JobStatus]*ids

	teams      map[int64]*team
	teamIDs    []int64
	teamJobs   map[int64][]int64
	lastTeam   int64
	lastMember int64
}

func newMarket(cfg Config, start time.Time) *market {
	return &market{
		cfg:         cfg,
		now:         start,
		balance:     cfg.Balance,
		books:       books{start: cfg.Balance, creates: map[string]int{}},
		callbackURL: cfg.CallbackURL,
		byStatus: map[JobStatus]*ids{
			JobWaiting: {}, JobOnline: {}, JobFinished: {},
		},
		teams:      map[int64]*team{},
		teamJobs:   map[int64][]int64{},
		lastTeam:   firstTeam - 1,
		lastMember: firstMember - 1,
	}
}

// advance lets everything happen that is due by now, in its order and each at
// its own time. A clock that went back changes nothing.
func (m *market) advance(now time.Time) {
	for {
		e, due := m.agenda.next(now)
		if !due {
			break
		}
		if e.at.After(m.now) {
			m.now = e.at
		}
		e.do()
	}
	if now.After(m.now) {
		m.now = now
	}
}

// after plans an event in market time.
func (m *market) after(d time.Duration, do func()) { m.agenda.plan(m.now.Add(d), do) }

// job is nil where there is none, or no longer.
func (m *market) job(id int64) *job {
	if i := id - firstJob; i >= 0 && i < int64(len(m.jobs)) {
		return m.jobs[i]
	}
	return nil
}

// app is nil where there is none, or its job is gone.
func (m *market) app(id int64) *Application {
	i := id - firstApp
	if i < 0 || i >= int64(len(m.apps)) || m.job(m.apps[i].JobID) == nil {
		return nil
	}
	return m.apps[i]
}

// charge takes an amount if the account has it.
func (m *market) charge(cost money.USD) bool {
	if cost > m.balance {
		return false
	}
	m.balance -= cost
	return true
}

// effect is what the books say of a call; c is nil for what no request did.
func (m *market) effect(c *call, kind string, e Effect) Effect {
	e.Kind, e.At = kind, m.now
	if c != nil {
		e.Request = c.number
	}
	return e
}
