package sandbox

func (m *market) getApplications(c *call) answer {
	j := m.job(c.id)
	if j == nil {
		return refuse(404, "Job not found")
	}
	list := j.apps
	if c.status != "all" {
		if len(c.status) != 1 || c.status[0] < '1' || c.status[0] > '5' {
			return invalid([]fieldFault{{"status", "The selected status is invalid."}})
		}
		list = j.byStatus[c.status[0]-'0']
	}
	page := list.page(c.page, m.cfg.PageSize, m.cfg.Order)
	views := make(appList, len(page))
	for i, id := range page {
		views[i] = m.viewApp(j, m.app(id))
	}
	return okay(views)
}

func (m *market) getApplication(c *call) answer {
	a := m.app(c.id)
	if a == nil {
		return refuse(404, "Application not found")
	}
	return okay(m.viewApp(m.job(a.JobID), a))
}

func (m *market) viewApp(j *job, a *Application) appView {
	return appView{*a, m.handed(j, a), m.cfg.Site}
}

// rate sets an application's status. An approval is final, since it pays the
// worker; repeating any verdict is answered ok.
func (m *market) rate(c *call) answer {
	status := AppStatus(c.in.whole("status", 1, 5))
	if c.in.has("status") && (status == AppReported || status == AppPending) {
		c.in.fault("status", "is invalid.")
	}
	var reason string
	if status != AppApproved {
		reason = c.in.text("reason")
	}
	a := m.app(c.id)
	if a == nil {
		return refuse(404, "Application not found")
	}
	if len(c.in.faults) > 0 {
		return invalid(c.in.faults)
	}
	if a.Status == AppApproved && status != AppApproved {
		return refuse(422, "The application is approved already.")
	}
	changed := a.Status != status
	m.books.add(m.effect(c, "rate", Effect{
		JobID: a.JobID, ApplicationID: a.ID, Status: status, Repeated: !changed}))
	if changed {
		m.setVerdict(a, status, reason)
	}
	return okay(result{appID: a.ID})
}

func (m *market) setVerdict(a *Application, status AppStatus, reason string) {
	j := m.job(a.JobID)
	m.moveApp(j, a, status)
	a.Reason = reason
	switch {
	case status == AppNotCompleted:
		m.planRedo(j, a)
	case status == AppDeclined && m.cfg.DeclineFreesSeat && j.Status == JobOnline:
		j.Taken--
		m.planArrival(j)
	}
}

// moveApp keeps the job's lists by status true.
func (m *market) moveApp(j *job, a *Application, status AppStatus) {
	j.byStatus[a.Status].remove(a.ID)
	j.byStatus[status].add(a.ID)
	a.Status = status
}

// addApp takes a seat for a worker's application and ends the job with its last.
func (m *market) addApp(j *job, user int64, given *Handed) *Application {
	a := &Application{
		ID: firstApp + int64(len(m.apps)), JobID: j.ID, UserID: user,
		Status: AppPending, At: m.now, Round: j.restarts, Given: given,
	}
	if j.Automated {
		a.Status = AppApproved
	}
	m.apps = append(m.apps, a)
	j.apps.add(a.ID)
	j.byStatus[a.Status].add(a.ID)
	j.Taken++
	j.Applied++
	j.crowd.count(j.Limit, m.now)
	m.tell(notice{event: "new-application", jobID: j.ID, appID: a.ID})
	if j.free() == 0 {
		m.finish(nil, j, "filled")
	}
	return a
}
