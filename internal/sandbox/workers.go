package sandbox

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// pool is how many workers the marketplace has; a prime, so that every stride
// walks through all of them.
const pool = 100_003

// firstWorker is the user id of the first of the pool.
const firstWorker = 12_000

// crowd is how workers come to one job.
type crowd struct {
	rng *rand.Rand
	// batch is how many seats were free after the last purchase.
	batch int64
	// came counts the workers of the pool since the last restart.
	came int64
	// members are those of a team who have applied since the last restart.
	members map[int64]bool
	// plan tells the arrival that is planned from those that were replaced.
	plan int
	// began and within count the seats of the job's limit.
	began  time.Time
	within int64
}

// forget lets the same workers come again, in the same order.
func (c *crowd) forget() {
	c.came = 0
	c.members = nil
}

// count notes an application in the job's limit.
func (c *crowd) count(l Limit, now time.Time) {
	if l.Count == 0 {
		return
	}
	if now.Sub(c.began) >= l.Period {
		c.began, c.within = now, 0
	}
	c.within++
}

// locked tells whether the limit lets nobody in for now.
func (c *crowd) locked(l Limit, now time.Time) bool {
	return l.Count > 0 && now.Sub(c.began) < l.Period && c.within >= l.Count
}

// planArrival replaces the job's next arrival.
func (m *market) planArrival(j *job) {
	j.crowd.plan++
	if m.cfg.Crowd.Off || j.Status != JobOnline || j.free() <= 0 {
		return
	}
	wait := m.gap(j)
	if j.crowd.locked(j.Limit, m.now) {
		wait = j.Limit.Period - m.now.Sub(j.crowd.began)
	}
	plan := j.crowd.plan
	m.after(wait, func() {
		if j.crowd.plan == plan && m.job(j.ID) == j {
			m.arrive(j)
		}
	})
}

// arrive lets one worker apply. Where none is left, the job waits for a
// restart or a new member.
func (m *market) arrive(j *job) {
	if j.Status != JobOnline || j.free() <= 0 {
		return
	}
	user, found := m.nextWorker(j)
	if !found {
		return
	}
	m.addApp(j, user, nil)
	m.planArrival(j)
}

// gap is the time to the next arrival: exponential, with a mean such that the
// batch fills in FillIn on average, faster while many seats are free.
func (m *market) gap(j *job) time.Duration {
	mean := float64(m.cfg.Crowd.FillIn) / (harmonic(j.crowd.batch) * float64(j.free()))
	if m.cfg.Crowd.PerDay > 0 {
		mean = float64(24*time.Hour) / float64(m.cfg.Crowd.PerDay)
	}
	return max(time.Duration(j.crowd.rng.ExpFloat64()*mean), time.Microsecond)
}

// harmonic is about 1 + 1/2 + ... + 1/n.
func harmonic(n int64) float64 {
	const gamma = 0.5772156649
	x := float64(max(n, 1))
	return math.Log(x) + gamma + 1/(2*x)
}

// nextWorker is one who has not applied since the last restart.
func (m *market) nextWorker(j *job) (int64, bool) {
	if j.TeamID != 0 {
		return m.nextMember(j)
	}
	if j.crowd.came == pool {
		return 0, false
	}
	start := int64(mix(m.cfg.Seed, uint64(j.ID)) % pool)
	stride := int64(1 + mix(uint64(j.ID), m.cfg.Seed)%(pool-1))
	worker := (start + stride*j.crowd.came) % pool
	j.crowd.came++
	return firstWorker + worker, true
}

func (m *market) nextMember(j *job) (int64, bool) {
	t := m.teams[j.TeamID]
	if t == nil {
		return 0, false
	}
	i := slices.IndexFunc(t.Members, func(w member) bool { return !j.crowd.members[w.UserID] })
	if i < 0 {
		return 0, false
	}
	if j.crowd.members == nil {
		j.crowd.members = map[int64]bool{}
	}
	j.crowd.members[t.Members[i].UserID] = true
	return t.Members[i].UserID, true
}

// planRedo has the worker of a not completed application hand in again.
func (m *market) planRedo(j *job, a *Application) {
	if m.cfg.Crowd.Off {
		return
	}
	try := a.Try
	wait := m.cfg.Crowd.RedoAfter
	spread := uint64(wait/2) + 1
	wait += time.Duration(mix(m.cfg.Seed, uint64(a.ID)) % spread)
	m.after(wait, func() {
		if a.Status == AppNotCompleted && a.Try == try && m.app(a.ID) == a {
			m.redo(j, a, nil)
		}
	})
}

// redo makes an application pending again, with a new proof and date.
func (m *market) redo(j *job, a *Application, given *Handed) {
	a.Try++
	a.At = m.now
	a.Reason = ""
	a.Given = given
	m.moveApp(j, a, AppPending)
	m.tell(notice{event: "new-application", jobID: j.ID, appID: a.ID})
}
