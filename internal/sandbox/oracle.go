package sandbox

import "slices"

// Books tells what really happened until now.
func (s *Sandbox) Books() Books {
	var b Books
	s.locked(func(m *market) { b = m.readBooks() })
	return b
}

// Traffic tells what arrived at the API and what was answered.
func (s *Sandbox) Traffic() Traffic {
	t := s.traffic.read()
	t.Callbacks = s.postman.stats()
	return t
}

// Job is a job as it is now, and whether there is one.
func (s *Sandbox) Job(id int64) (found Job, ok bool) {
	s.locked(func(m *market) {
		if j := m.job(id); j != nil {
			found, ok = j.Job, true
			found.Expected, found.Proof = slices.Clone(j.Expected), slices.Clone(j.Proof)
		}
	})
	return found, ok
}

// Application is an application as it is now, with what was handed in, and
// whether there is one.
func (s *Sandbox) Application(id int64) (found Application, ok bool) {
	s.locked(func(m *market) {
		if a := m.app(id); a != nil {
			handed := m.handed(m.job(a.JobID), a)
			found, ok = *a, true
			found.Given = &handed
		}
	})
	return found, ok
}

func (m *market) readBooks() Books {
	b := Books{
		Start:     m.books.start,
		Deposited: m.books.deposited,
		Charged:   m.books.charged,
		Refunded:  m.books.refunded,
		Balance:   m.balance,
		Creates:   make(map[string]int, len(m.books.creates)),
		Jobs:      make([]JobBooks, len(m.books.told)),
		Other:     []Effect{},
	}
	for marker, n := range m.books.creates {
		b.Creates[marker] = n
	}
	for i, j := range m.books.told {
		b.Jobs[i] = JobBooks{JobID: j.ID, Marker: j.marker, Title: j.Title,
			Status: j.Status, Filled: j.Taken}
	}
	for _, e := range m.books.effects {
		if e.JobID == 0 {
			b.Other = append(b.Other, e)
			continue
		}
		b.Jobs[e.JobID-firstJob].add(e)
	}
	return b
}

func (b *JobBooks) add(e Effect) {
	b.Charged += e.Charged
	b.Refunded += e.Refunded
	if e.Seats > 0 {
		b.Bought += e.Seats
	} else {
		b.Returned -= e.Seats
	}
	b.Effects = append(b.Effects, e)
}
