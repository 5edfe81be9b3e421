package sandbox

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// job is a Job with what only the marketplace itself knows of it.
type job struct {
	Job
	// marker is the last step it was created with.
	marker string
	// apps are its applications, all and by status.
	apps     ids
	byStatus [AppNotCompleted + 1]ids
	// returned is how many seats the last pause refunded.
	returned int64
	crowd    crowd
	// restarts counts its restarts; schedule its restart schedules.
	restarts int
	schedule int
}

func (j *job) free() int64 { return j.Seats - j.Taken }

func (m *market) getJob(c *call) answer {
	j := m.job(c.id)
	if j == nil {
		return refuse(404, "Job not found")
	}
	return okay(m.view(j))
}

func (m *market) getJobs(c *call) answer {
	list := &m.listed
	switch c.status {
	case "all":
	case "1":
		list = m.byStatus[JobOnline]
	case "3":
		list = m.byStatus[JobFinished]
	default:
		return invalid([]fieldFault{{"status", "The selected status is invalid."}})
	}
	page := list.page(c.page, m.cfg.PageSize, m.cfg.Order)
	views := make(jobList, len(page))
	for i, id := range page {
		views[i] = m.view(m.job(id))
	}
	return okay(views)
}

// view copies a job as the account may see it now.
func (m *market) view(j *job) jobView {
	v := jobView{Job: j.Job, avail: j.Seats, locked: j.crowd.locked(j.Limit, m.now)}
	if m.cfg.Habits.SeatsKept {
		v.avail += j.returned
	}
	if m.cfg.Habits.Seats == SeatsRemaining {
		v.avail -= j.Taken
	}
	return v
}

// createJob also answers quotes, unless a fault makes it overlook the flag.
func (m *market) createJob(c *call) answer {
	wanted := m.readJob(&c.in)
	if len(c.in.faults) > 0 {
		return invalid(c.in.faults)
	}
	cost, err := purchaseCost(wanted.Price, wanted.Seats, wanted.Tweet)
	if err != nil {
		return refuse(422, "The job is too expensive.")
	}
	if c.route.name == quote && c.fault.Kind != IgnoreGetCost {
		return okay(result{cost: cost, hasCost: true})
	}
	j := m.addJob(c, wanted, cost)
	if j == nil {
		return refuse(422, "Insufficient balance")
	}
	return okay(result{cost: cost, hasCost: true, jobID: j.ID})
}

// readJob checks everything that a create sends.
func (m *market) readJob(in *input) Job {
	j := Job{
		Title:     in.text("title"),
		Price:     in.amount("price"),
		Seats:     in.whole("availseats", 1, maxSeats),
		Country:   in.country(),
		Category:  in.whole("category", 1, maxID),
		Minutes:   in.whole("time", 1, 1_000_000),
		Automated: in.flag("automated"),
		Tweet:     in.flag("send_tweet"),
		Hidden:    in.flag("hide_search_engines"),
		Limit:     in.limit(),
		Expected:  in.steps(),
	}
	j.Proof = in.proofs(j.Automated)
	if in.has("team_id") {
		j.TeamID = in.whole("team_id", 1, maxID)
	}
	m.checkJob(in, j)
	return j
}

// checkJob holds the rules that span fields.
func (m *market) checkJob(in *input, j Job) {
	least, known := minPrice(j.Category)
	if in.has("category") && !known {
		in.fault("category", "is invalid: there is no category %d.", j.Category)
	}
	if known && j.Price > 0 && j.Price < least {
		in.fault("price", "must be at least %s.", least)
	}
	switch {
	case !in.has("team_id"):
		if j.Country == "0" {
			in.fault("country", "must be INT or an array of country ids without a team.")
		}
	case m.teams[j.TeamID] == nil:
		in.fault("team_id", "is invalid: there is no team %d.", j.TeamID)
	case j.Country != "0":
		in.fault("country", "must be 0 when team id is present.")
	}
}

// addJob charges the account and makes the job; nil where money is short.
func (m *market) addJob(c *call, wanted Job, cost money.USD) *job {
	if !m.charge(cost) {
		return nil
	}
	j := &job{Job: wanted, marker: wanted.Expected[len(wanted.Expected)-1]}
	j.ID = firstJob + int64(len(m.jobs))
	j.Slug = slug(j.Title, m.cfg.Seed, j.ID)
	j.Created, j.Updated = m.now, m.now
	j.Status = JobWaiting
	j.crowd.rng = rand.New(rand.NewPCG(m.cfg.Seed, uint64(j.ID)))
	m.jobs = append(m.jobs, j)
	m.byStatus[JobWaiting].add(j.ID)
	if j.TeamID != 0 {
		m.teamJobs[j.TeamID] = append(m.teamJobs[j.TeamID], j.ID)
	}
	if !m.cfg.Habits.HideWaiting {
		m.listed.add(j.ID)
	}
	m.books.created(j, m.effect(c, "create", Effect{JobID: j.ID, Seats: j.Seats, Charged: cost}))
	m.moderate(j)
	m.planRestart(j)
	return j
}

func (m *market) moderate(j *job) {
	if m.cfg.Moderation <= 0 {
		m.goOnline(j)
		return
	}
	m.after(m.cfg.Moderation, func() {
		if j.Status == JobWaiting && m.job(j.ID) == j {
			m.goOnline(j)
		}
	})
}

func (m *market) goOnline(j *job) {
	m.setStatus(j, JobOnline)
	m.listed.add(j.ID)
	j.Started = m.now
	j.crowd.batch = j.free()
	m.planArrival(j)
}

// setStatus keeps the lists by status true.
func (m *market) setStatus(j *job, status JobStatus) {
	if list := m.byStatus[j.Status]; list != nil {
		list.remove(j.ID)
	}
	if list := m.byStatus[status]; list != nil && m.job(j.ID) == j {
		list.add(j.ID)
	}
	j.Status = status
	j.Updated = m.now
}

func (m *market) updateJob(c *call) answer {
	j := m.job(c.id)
	if j == nil {
		return refuse(404, "Job not found")
	}
	change := j.Job
	in := &c.in
	if in.has("title") {
		change.Title = in.text("title")
	}
	if in.has("time") {
		change.Minutes = in.whole("time", 1, 1_000_000)
	}
	if in.has("job_limit") || in.has("hourly_limit") {
		change.Limit = in.limit()
	}
	if in.has("expected") {
		change.Expected = in.steps()
	}
	if in.has("proof") {
		change.Proof = in.proofs(j.Automated)
	}
	if in.has("restart_schedule") {
		change.RestartEvery = in.restartSchedule()
	}
	if len(in.faults) > 0 {
		return invalid(in.faults)
	}
	m.replace(j, change)
	m.books.add(m.effect(c, "update", Effect{JobID: j.ID}))
	return okay(result{jobID: j.ID})
}

// restartSchedule reads -1, which is none, or seconds within the reference's bounds.
func (in *input) restartSchedule() time.Duration {
	if scalar(in.fields["restart_schedule"]) == "-1" {
		return 0
	}
	return time.Duration(in.whole("restart_schedule", 60, 31_104_000)) * time.Second
}

// replace gives a job other facts, whoever edits it.
func (m *market) replace(j *job, facts Job) {
	before := j.Job
	facts.ID = before.ID
	facts.Expected = slices.Clone(facts.Expected)
	facts.Proof = slices.Clone(facts.Proof)
	j.Job = facts
	j.Status = before.Status
	j.Updated = m.now
	if facts.Status != before.Status {
		m.setStatus(j, facts.Status)
	}
	if facts.RestartEvery != before.RestartEvery {
		j.schedule++
		m.planRestart(j)
	}
	m.planArrival(j)
}

// slug is the last part of a job's address.
func slug(title string, seed uint64, id int64) string {
	var out []byte
	for _, c := range []byte(title) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			out = append(out, c)
		case c >= 'A' && c <= 'Z':
			out = append(out, c+'a'-'A')
		case len(out) > 0 && out[len(out)-1] != '-':
			out = append(out, '-')
		}
		if len(out) == 40 {
			break
		}
	}
	const letters = 36 * 36 * 36 * 36 * 36 * 36
	return string(out) + "-" + strconv.FormatUint(mix(seed, uint64(id))%letters, 36)
}
