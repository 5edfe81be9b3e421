package simtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// restSteps bounds how long a run may take to come to rest once faults end.
const restSteps = 100_000

// rest ends the faults and lets everything go on until nothing moves.
func (w *world) rest() {
	if w.err != nil {
		return
	}
	w.calm = true
	w.note("faults end")
	for _, r := range w.runners {
		r.stopped = time.Time{}
	}
	ctx := context.Background()
	o := w.commands(w.books, w.direct, w.directly(), func() time.Time { return w.now })
	for n := 0; w.operator.busy; n++ {
		w.steps(1)
		if n > restSteps {
			w.fail("the person's command does not end: %s", w.operator.job)
		}
		if w.err != nil {
			return
		}
	}
	if w.tail != nil {
		w.thawed()
		if w.err != nil {
			return
		}
	}
	for _, c := range w.specs {
		_, err := o.Resume(ctx, c.Name)
		must(err)
	}
	_, err := o.ResumeAll(ctx)
	must(err)
	w.comeToRest()
	if w.err == nil { // the hourly audit puts right what a wrong answer left behind
		if heedless(w.seed) { // it leaves the jobs of fresh questions to those who asked
			w.now = w.now.Add(90 * time.Minute) // a runner's clock may be an hour ahead
		}
		_, err = o.Reconcile(ctx)
		must(err)
		w.comeToRest()
	}
}

func (w *world) comeToRest() {
	w.dirty = true
	w.watch.look() // the lists are those from before what was just done
	for range restSteps {
		if w.err != nil || w.quiet() {
			return
		}
		w.steps(1)
	}
	w.fail("it does not come to rest: %s", strings.Join(w.moving(), ", "))
}

func (w *world) quiet() bool {
	for _, r := range w.runners {
		for _, a := range r.proc.crew {
			if a.busy {
				return false
			}
		}
	}
	return len(w.wire) == 0 && len(w.moving()) == 0
}

// moving are the operations that neither ended nor wait for a person.
func (w *world) moving() []string {
	var ids []string
	for _, s := range []planner.State{planner.Queued, planner.Sending, planner.Unknown} {
		for _, z := range w.waiting(s) {
			if id, _ := z.Member.(string); w.behindParked(id) {
				continue
			}
			ids = append(ids, fmt.Sprintf("%s is %s", z.Member, s))
		}
	}
	return ids
}

// behindParked tells that an operation's job is held by one that waits for a
// person, and that it waits with it.
func (w *world) behindParked(id string) bool {
	t := w.watch.ops[id]
	if t == nil || t.JobID == 0 {
		return false
	}
	holder := w.rdb.HGet(context.Background(), fmt.Sprintf("%sjob:%d", prefix, t.JobID), "lane").Val()
	held := w.watch.ops[holder]
	return held != nil && held.state == planner.Parked
}

// end compares the books with the marketplace's own.
func (w *world) end() {
	if w.err != nil {
		return
	}
	w.watch.remembered()
	skip := map[int64]bool{}
	for _, id := range w.watch.order {
		t := w.watch.ops[id]
		of(w.tally.kinds, t.Kind).count(t.doubted, t.state == planner.Parked)
		if alone(w.seed) {
			of(w.tally.alone, t.Kind).count(t.doubted, t.state == planner.Parked)
		}
		if t.parked {
			skip[t.JobID], skip[t.job] = true, true
		}
	}
	for _, theirs := range w.box.Books().Jobs {
		if !strings.HasPrefix(theirs.Marker, planner.MarkerPrefix) || skip[theirs.JobID] || w.watch.touched[theirs.JobID] ||
			w.watch.takenBack(theirs) {
			continue
		}
		ours, err := w.books.Job(context.Background(), theirs.JobID)
		if err != nil {
			w.fail("job %d is not in the books: %v", theirs.JobID, err)
			continue
		}
		if w.watch.guessed(ours.Op) {
			continue
		}
		if ours.Charged != theirs.Charged {
			w.fail("job %d: %s are charged in the books, %s in truth", theirs.JobID, ours.Charged, theirs.Charged)
		}
		if held := w.watch.ops[ours.Lane]; ours.Lane != "" && (held == nil || held.state != planner.Parked) {
			w.fail("job %d is still held by %s", theirs.JobID, ours.Lane)
		}
		// Where other money moved beside a pause, the measure of its refund may have it.
		if ours.Refunded != theirs.Refunded && !w.estimated(theirs.JobID) && !w.watch.disturbed {
			w.histories(theirs.JobID)
			w.fail("job %d: %s are refunded in the books, %s in truth", theirs.JobID, ours.Refunded, theirs.Refunded)
		}
	}
}

// histories tells in the trace what happened to the operations on a job.
func (w *world) histories(job int64) {
	for _, id := range w.watch.order {
		if t := w.watch.ops[id]; t.JobID != job && t.job != job {
			continue
		}
		op, err := w.books.Get(context.Background(), id)
		if errors.Is(err, journal.ErrNotFound) {
			w.note("%s was forgotten", id)
			continue
		}
		must(err)
		for _, e := range op.History() {
			w.note("%s: %s, attempt %d, %v: %s %s", id, e.State, e.Attempt, e.Amount, e.Note, e.Evidence)
		}
	}
}

// estimated tells that a pause of a job could not measure its refund.
func (w *world) estimated(job int64) bool {
	found := false
	for _, id := range w.watch.order {
		t := w.watch.ops[id]
		if t.Kind != planner.Pause || t.JobID != job {
			continue
		}
		op, err := w.books.Get(context.Background(), id)
		if errors.Is(err, journal.ErrNotFound) {
			continue // it was planned in the lost tail, and nothing was sent for it
		}
		must(err)
		for _, e := range op.History() {
			if strings.Contains(e.Note, "estimate") {
				found = true
				w.tally.estimates++
			}
		}
	}
	return found
}

// close ends what still runs.
func (w *world) close() {
	for _, r := range w.runners {
		w.exit(r, false)
	}
	w.operator.kill()
	w.box.Close()
	_ = w.rdb.Close()
}
