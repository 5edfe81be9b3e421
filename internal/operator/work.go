package operator

import (
	"context"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Work is what a command set going and may wait for.
type Work struct {
	// Owners are the campaigns whose operations since From belong to it, and
	// From is by the journal's clock. until is when all of it was set going.
	Owners []string
	From   time.Time
	until  time.Time
	// IDs, where not nil, are the operations themselves; Owners then name only
	// whose rating runs belong to it.
	IDs []string
	// once are actions that run now and may still wait for jobs to be made, and
	// following those that run after others.
	once, following map[string][]string
}

func (w *Work) add(c *campaigns.Campaign) {
	w.Owners = append(w.Owners, c.Name)
	if w.once == nil {
		w.once, w.following = map[string][]string{}, map[string][]string{}
	}
	for i := range c.Actions {
		switch a := &c.Actions[i]; {
		case a.Now:
			w.once[c.Name] = append(w.once[c.Name], a.ID)
		case a.After != nil:
			w.following[c.Name] = append(w.following[c.Name], a.ID)
		}
	}
}

// has tells whether a rating run is of the work: it was asked for with it, or
// follows what was. Those of later times are not waited for.
func (w *Work) has(r journal.Review) bool {
	if slices.Contains(w.following[r.Campaign], r.Action) {
		return true
	}
	return slices.Contains(w.Owners, r.Campaign) && !r.Slot.Before(w.From.Truncate(time.Second)) && !r.Slot.After(w.until)
}

// Progress is how far work has come.
type Progress struct {
	// States counts the operations by state.
	States map[planner.State]int
	// Kinds counts them by kind.
	Kinds map[planner.Kind]Count
	// Cost is what the applied ones cost, in USD.
	Cost money.USD
	// Waiting tells that occurrences or rating runs are yet to become operations.
	Waiting bool
}

// Count is how many of some operations are settled.
type Count struct{ Settled, Total int }

// Settled tells whether all of the work has ended.
func (p Progress) Settled() bool {
	for s, n := range p.States {
		if n > 0 && !s.Settled() {
			return false
		}
	}
	return !p.Waiting
}

// Wanting tells whether something of it needs a person or was not done.
func (p Progress) Wanting() bool {
	return p.States[planner.Rejected]+p.States[planner.Skipped]+p.States[planner.Parked] > 0
}

// Tracker follows work without reading twice what is settled.
type Tracker struct {
	o    *Operator
	work Work
	seen map[string]bool
	open []string
	// begun tells that all which the work set going has become operations: those
	// that come later are of other occurrences, unless they follow one of these.
	begun bool
	// done sums what is settled.
	done Progress
}

// Track begins to follow work.
func (o *Operator) Track(w Work) *Tracker {
	return &Tracker{o: o, work: w, seen: map[string]bool{}, done: newProgress()}
}

func newProgress() Progress {
	return Progress{States: map[planner.State]int{}, Kinds: map[planner.Kind]Count{}}
}

// lookSize is how many open operations one look reads.
const lookSize = 2_000

// Look reads how far the work has come. Of very many open operations it reads a
// part each time, and takes the others for queued.
func (t *Tracker) Look(ctx context.Context) (Progress, error) {
	// What waits is read first: what it turns into is then seen below.
	waiting, err := t.waiting(ctx)
	if err != nil {
		return Progress{}, err
	}
	if err := t.gather(ctx); err != nil {
		return Progress{}, err
	}
	t.begun = t.begun || !waiting
	now := newProgress()
	head := t.open[:min(lookSize, len(t.open))]
	rest := slices.Clone(t.open[len(head):])
	ops, err := t.o.Journal.Load(ctx, head)
	if err != nil {
		return Progress{}, err
	}
	for _, op := range ops {
		p := &now
		if op.State.Settled() {
			p = &t.done
		} else {
			rest = append(rest, op.ID)
		}
		p.States[op.State]++
		c := p.Kinds[op.Kind]
		c.Total++
		if op.State.Settled() {
			c.Settled++
		}
		p.Kinds[op.Kind] = c
		if op.State == planner.Applied && op.Cost != nil {
			p.Cost += *op.Cost
		}
	}
	if left := len(t.open) - len(head); left > 0 {
		now.States[planner.Queued] += left
	}
	if t.open = rest; len(rest) == 0 && !waiting {
		// The last of an occurrence may have ended meanwhile, and been followed.
		if waiting, err = t.chains(ctx); err != nil {
			return Progress{}, err
		}
		if err := t.gather(ctx); err != nil {
			return Progress{}, err
		}
		if n := len(t.open); n > 0 {
			now.States[planner.Queued] += n
		}
	}
	return t.done.plus(now, waiting), nil
}

func (p Progress) plus(q Progress, waiting bool) Progress {
	out := newProgress()
	for _, part := range []Progress{p, q} {
		for s, n := range part.States {
			out.States[s] += n
		}
		for k, c := range part.Kinds {
			sum := out.Kinds[k]
			out.Kinds[k] = Count{sum.Settled + c.Settled, sum.Total + c.Total}
		}
		out.Cost += part.Cost
	}
	out.Waiting = waiting
	return out
}

// gather finds the operations that have come since the last look.
func (t *Tracker) gather(ctx context.Context) error {
	if t.work.IDs != nil {
		for _, id := range t.work.IDs {
			t.note(id)
		}
		return nil
	}
	for _, owner := range t.work.Owners {
		ids, err := t.o.Journal.Since(ctx, owner, t.work.From)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !t.begun || slices.Contains(t.work.following[owner], planner.ActionOf(id)) {
				t.note(id)
			}
		}
	}
	return nil
}

func (t *Tracker) note(id string) {
	if !t.seen[id] {
		t.seen[id] = true
		t.open = append(t.open, id)
	}
}

// waiting tells whether actions or rating runs of the work are yet to become
// operations.
func (t *Tracker) waiting(ctx context.Context) (bool, error) {
	for campaign, actions := range t.work.once {
		wait, err := t.o.Journal.Waiting(ctx, campaign, actions)
		if err != nil || wait {
			return wait, err
		}
	}
	if wait, err := t.chains(ctx); err != nil || wait {
		return wait, err
	}
	reviews, err := t.o.Journal.Reviews(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range reviews {
		if t.work.has(r) {
			return true, nil
		}
	}
	return false, nil
}

// chains tells whether an occurrence of the work has ended and what follows it
// is yet to be planned.
func (t *Tracker) chains(ctx context.Context) (bool, error) {
	ended, err := t.o.Journal.Ended(ctx)
	if err != nil {
		return false, err
	}
	for _, e := range ended {
		if slices.Contains(t.work.Owners, e.Campaign) {
			return true, nil
		}
	}
	return false, nil
}

// Led tells whether a runner is at work.
func (o *Operator) Led(ctx context.Context) (bool, error) { return o.Journal.Led(ctx) }
