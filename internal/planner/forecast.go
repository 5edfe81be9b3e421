package planner

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Forecast walks through a campaign's occurrences up to the horizon on jobs
// that exist only in thought: owed creates make theirs first, pauses close
// them, resumes open them, and seats are added up. It returns the occurrences
// in order of time, those that wait for jobs first, and the actions of which
// it left some out. Jobs that fill up on the way are not foreseen.
func Forecast(o Outlook, owed []Operation, waiting []Coming) (rows []Coming, cut []string, err error) {
	occurrences, cut, err := o.occurrences()
	if err != nil {
		return nil, nil, err
	}
	rows = o.chained(append(slices.Clone(waiting), occurrences...))
	o.foresee(owed, rows)
	return rows, cut, nil
}

// Foresee fills in the items and costs of given occurrences, in their order.
func (o *Outlook) Foresee(rows []Coming) { o.foresee(nil, rows) }

func (o *Outlook) foresee(owed []Operation, rows []Coming) {
	w := newWalk(o)
	for _, op := range owed {
		if op.Kind == Create {
			w.add(op.Item, op.Seats)
		}
	}
	actions := make(map[string]*campaigns.Action, len(o.Campaign.Actions))
	for i := range o.Campaign.Actions {
		actions[o.Campaign.Actions[i].ID] = &o.Campaign.Actions[i]
	}
	for i := range rows {
		w.step(actions[rows[i].Action], &rows[i])
	}
}

// occurrences are the slots of all timed actions, oldest first. Those of one
// moment keep the order of the spec.
func (o *Outlook) occurrences() (rows []Coming, cut []string, err error) {
	for i := range o.Campaign.Actions {
		a := &o.Campaign.Actions[i]
		if a.Waits() || a.Now {
			continue
		}
		s, err := a.Schedule()
		if err != nil {
			return nil, nil, fmt.Errorf("%s/%s: %w", o.Campaign.Name, a.ID, err)
		}
		key := o.Campaign.Name + "/" + a.ID
		n := 0
		for cursor := DueSlots(a, s, key, o.mark(a), o.Now, 0).Watermark; ; n++ {
			slot, ok := s.Next(cursor)
			if !ok || slot.After(o.Until) {
				break
			}
			if n == maxComing {
				cut = append(cut, a.ID)
				break
			}
			rows = append(rows, Coming{Campaign: o.Campaign.Name, Action: a.ID, Kind: Kind(a.Do), Slot: slot})
			cursor = slot
		}
	}
	slices.SortStableFunc(rows, func(a, b Coming) int { return cmp.Compare(a.Slot.UnixNano(), b.Slot.UnixNano()) })
	return rows, cut, nil
}

// walk is the state of the jobs on the way of a forecast.
type walk struct {
	o    *Outlook
	jobs []Job
	// last is the greatest id so far.
	last int64
}

func newWalk(o *Outlook) *walk {
	w := &walk{o: o, jobs: slices.Clone(o.Jobs)}
	for _, j := range w.jobs {
		w.last = max(w.last, j.ID)
	}
	return w
}

// add makes a job in thought; its id is greater than all others, so that it
// counts as the newest.
func (w *walk) add(item string, seats int) {
	w.last++
	w.jobs = append(w.jobs, Job{ID: w.last, Item: item, Seats: seats, Online: true})
}

// step carries one occurrence out in thought.
func (w *walk) step(a *campaigns.Action, row *Coming) {
	total := money.USD(0)
	row.Cost = &total
	if a.Do == campaigns.DoCreate {
		for _, item := range w.o.Campaign.Items {
			seats := seatsOf(w.o.Campaign)
			w.buy(row, item.Key, 0, seats)
			w.add(item.Key, seats)
		}
		row.Items = len(w.o.Campaign.Items)
		return
	}
	chosen := w.chosen(a)
	row.Items = len(chosen)
	for _, j := range chosen {
		switch a.Do {
		case campaigns.DoPause:
			j.Online = false
		case campaigns.DoResume:
			w.buy(row, j.Item, j.ID, a.Seats)
			j.Online, j.Seats = true, j.Seats+a.Seats
		case campaigns.DoAddSeats:
			n := a.Seats
			if a.UpTo > 0 {
				n = max(0, a.UpTo-j.Seats)
			}
			w.buy(row, j.Item, j.ID, n)
			j.Seats += n
		}
	}
}

// chosen are the jobs that an action acts on; a rating looks at all of them.
func (w *walk) chosen(a *campaigns.Action) []*Job {
	picked := make(map[int64]bool, len(w.jobs))
	if a.Do != campaigns.DoRate {
		for _, j := range Choose(a, w.jobs) {
			picked[j.ID] = true
		}
	}
	var out []*Job
	for i := range w.jobs {
		if picked[w.jobs[i].ID] || (a.Do == campaigns.DoRate && !w.jobs[i].Gone) {
			out = append(out, &w.jobs[i])
		}
	}
	return out
}

// buy adds a price to a row; one that is not known makes the whole unknown.
func (w *walk) buy(row *Coming, item string, job int64, seats int) {
	if seats == 0 || row.Cost == nil {
		return
	}
	if w.o.Price == nil {
		row.Cost = nil
		return
	}
	cost, known := w.o.Price(row.Kind, item, job, seats)
	if !known {
		row.Cost = nil
		return
	}
	*row.Cost += cost
}

// Exhausted is when the costs of occurrences first pass an amount within a
// budget's window, and whether they do. left is what the window that now lies in
// still has; each later one starts with whole. Rows are in order of time; those
// without a cost count as nothing.
func Exhausted(b *campaigns.Budget, left, whole money.USD, now time.Time, rows []Coming) (time.Time, bool) {
	window := b.WindowAt(now)
	for _, row := range rows {
		if row.Cost == nil || *row.Cost == 0 {
			continue
		}
		if w := b.WindowAt(row.Slot); w > window {
			window, left = w, whole
		}
		if left -= *row.Cost; left < 0 {
			return row.Slot, true
		}
	}
	return time.Time{}, false
}
