package sandbox

// addSeats buys seats for a job that is not finished.
func (m *market) addSeats(c *call) answer {
	seats := c.in.whole("seat_count", 1, maxSeats)
	j, refused := m.buyer(c)
	if j == nil {
		return refused
	}
	if j.Status == JobFinished {
		return refuse(422, "The job is finished. Resume it to buy seats.")
	}
	return m.buy(c, j, "add_seats", seats, false)
}

// resumeJob buys seats for a finished job and puts it online.
func (m *market) resumeJob(c *call) answer {
	seats := c.in.whole("seat_count", 1, maxSeats)
	tweet := c.in.flag("send_tweet")
	hidden := c.in.flag("hide_search_engines")
	j, refused := m.buyer(c)
	if j == nil {
		return refused
	}
	if j.Status != JobFinished {
		return refuse(422, "Only finished jobs can be resumed.")
	}
	a := m.buy(c, j, "resume", seats, tweet)
	if a.status == 200 {
		j.Tweet, j.Hidden = tweet, hidden
		j.returned = 0
		m.goOnline(j)
	}
	return a
}

// buyer is the job of a call whose input is in order.
func (m *market) buyer(c *call) (*job, answer) {
	j := m.job(c.id)
	if j == nil {
		return nil, refuse(404, "Job not found")
	}
	if len(c.in.faults) > 0 {
		return nil, invalid(c.in.faults)
	}
	return j, answer{}
}

// buy charges for seats and adds them.
func (m *market) buy(c *call, j *job, kind string, seats int64, tweet bool) answer {
	cost, err := purchaseCost(j.Price, seats, tweet)
	if err != nil {
		return refuse(422, "The seats are too expensive.")
	}
	if !m.charge(cost) {
		return refuse(422, "Insufficient balance")
	}
	j.Seats += seats
	j.Updated = m.now
	j.crowd.batch = j.free()
	m.planArrival(j)
	m.books.add(m.effect(c, kind, Effect{JobID: j.ID, Seats: seats, Charged: cost}))
	return okay(result{cost: cost, hasCost: true, jobID: j.ID})
}

// pauseJob finishes a job; one that is finished already stays as it is.
func (m *market) pauseJob(c *call) answer {
	j := m.job(c.id)
	if j == nil {
		return refuse(404, "Job not found")
	}
	m.finish(c, j, "pause")
	return okay(result{jobID: j.ID})
}

// finish ends a job and refunds its unfilled seats. The tweet is not refunded.
func (m *market) finish(c *call, j *job, kind string) {
	e := Effect{JobID: j.ID}
	if j.Status != JobFinished {
		e.Seats = -j.free()
		e.Refunded = refundFor(j.Price, j.free(), m.cfg.KeepFees)
		m.balance += e.Refunded
		j.returned, j.Seats = j.free(), j.Taken
		m.setStatus(j, JobFinished)
		m.tell(notice{event: "job-finished", jobID: j.ID})
	}
	m.books.add(m.effect(c, kind, e))
}

// restartJob lets the same workers in again.
func (m *market) restartJob(c *call) answer {
	j := m.job(c.id)
	if j == nil {
		return refuse(404, "Job not found")
	}
	m.restart(c, j)
	return okay(result{jobID: j.ID})
}

func (m *market) restart(c *call, j *job) {
	j.restarts++
	j.crowd.forget()
	j.Updated = m.now
	if j.Status == JobOnline {
		j.Started = m.now
	}
	m.books.add(m.effect(c, "restart", Effect{JobID: j.ID}))
	m.planArrival(j)
}

// planRestart follows the job's restart schedule until that is changed.
func (m *market) planRestart(j *job) {
	schedule := j.schedule
	if j.RestartEvery <= 0 {
		return
	}
	m.after(j.RestartEvery, func() {
		if j.schedule != schedule || m.job(j.ID) != j {
			return
		}
		if j.Status == JobOnline {
			m.restart(nil, j)
		}
		m.planRestart(j)
	})
}
