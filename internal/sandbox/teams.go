package sandbox

import (
	"slices"
	"time"
)

// team is a list of workers.
type team struct {
	ID      int64
	Title   string
	Created time.Time
	Updated time.Time
	Members []member
}

// member is a worker of a team.
type member struct {
	ID      int64
	UserID  int64
	Note    string
	Created time.Time
}

func (m *market) getTeams(*call) answer {
	list := make(teamList, 0, len(m.teamIDs))
	for _, id := range m.teamIDs {
		list = append(list, *m.teams[id])
	}
	return okay(list)
}

func (m *market) createTeam(c *call) answer {
	title := c.in.text("title")
	if len(c.in.faults) > 0 {
		return invalid(c.in.faults)
	}
	m.lastTeam++
	t := &team{ID: m.lastTeam, Title: title, Created: m.now, Updated: m.now}
	m.teams[t.ID] = t
	m.teamIDs = append(m.teamIDs, t.ID)
	m.books.add(m.effect(c, "team_create", Effect{TeamID: t.ID}))
	return okay(teamView(*t))
}

func (m *market) updateTeam(c *call) answer {
	title := c.in.text("title")
	t, refused := m.teamOf(c, "id")
	if t == nil {
		return refused
	}
	t.Title, t.Updated = title, m.now
	m.books.add(m.effect(c, "team_update", Effect{TeamID: t.ID}))
	return okay(teamView(*t))
}

func (m *market) deleteTeam(c *call) answer {
	t, refused := m.teamOf(c, "id")
	if t == nil {
		return refused
	}
	delete(m.teams, t.ID)
	m.teamIDs = slices.DeleteFunc(m.teamIDs, func(id int64) bool { return id == t.ID })
	m.books.add(m.effect(c, "team_delete", Effect{TeamID: t.ID}))
	return okay(done{})
}

func (m *market) getMembers(c *call) answer {
	t, refused := m.teamOf(c, "team_id")
	if t == nil {
		return refused
	}
	return okay(memberList{t.ID, slices.Clone(t.Members)})
}

// addMember answers ok, and changes the note only, for who is a member already.
func (m *market) addMember(c *call) answer {
	user := c.in.whole("user_id", 1, maxID)
	note := c.in.text("note")
	t, refused := m.teamOf(c, "team_id")
	if t == nil {
		return refused
	}
	m.books.add(m.effect(c, "member_add", Effect{TeamID: t.ID, UserID: user}))
	if i := t.member(user); i >= 0 {
		t.Members[i].Note = note
		return okay(done{})
	}
	m.lastMember++
	t.Members = append(t.Members, member{m.lastMember, user, note, m.now})
	for _, id := range m.teamJobs[t.ID] {
		if j := m.job(id); j != nil {
			m.planArrival(j)
		}
	}
	return okay(done{})
}

func (m *market) deleteMember(c *call) answer {
	user := c.in.whole("user_id", 1, maxID)
	t, refused := m.teamOf(c, "team_id")
	if t == nil {
		return refused
	}
	i := t.member(user)
	if i < 0 {
		return refuse(404, "Team member not found")
	}
	t.Members = slices.Delete(t.Members, i, i+1)
	m.books.add(m.effect(c, "member_delete", Effect{TeamID: t.ID, UserID: user}))
	return okay(done{inList: true})
}

// teamOf finds the team that a field names. Without one, the answer says why;
// it also tells what else was wrong with the input.
func (m *market) teamOf(c *call, field string) (*team, answer) {
	id := c.in.whole(field, 1, maxID)
	if len(c.in.faults) > 0 {
		return nil, invalid(c.in.faults)
	}
	if t := m.teams[id]; t != nil {
		return t, answer{}
	}
	return nil, refuse(404, "Team not found")
}

func (t *team) member(user int64) int {
	return slices.IndexFunc(t.Members, func(m member) bool { return m.UserID == user })
}

type teamList []team

func (l teamList) encode(e *encoder) {
	e.list(len(l), func(i int) {
		e.open('{')
		e.key("id").int(l[i].ID)
		e.key("user_id").int(ownerID)
		e.key("title").str(l[i].Title)
		e.key("created_at").stamp(l[i].Created)
		e.key("updated_at").stamp(l[i].Updated)
		e.close('}')
	})
}

// teamView is the shape of a created or updated team; its order differs.
type teamView team

func (t teamView) encode(e *encoder) {
	e.open('{')
	e.key("title").str(t.Title)
	e.key("user_id").int(ownerID)
	e.key("updated_at").stamp(t.Updated)
	e.key("created_at").stamp(t.Created)
	e.key("id").int(t.ID)
	e.close('}')
}

type memberList struct {
	team int64
	rows []member
}

func (l memberList) encode(e *encoder) {
	e.list(len(l.rows), func(i int) {
		row := l.rows[i]
		e.open('{')
		e.key("id").int(row.ID)
		e.key("owner_id").int(ownerID)
		e.key("worker_id").int(row.UserID)
		e.key("team_id").int(l.team)
		e.key("note").str(row.Note)
		e.key("created_at").stamp(row.Created)
		e.key("updated_at").stamp(row.Created)
		e.close('}')
	})
}
