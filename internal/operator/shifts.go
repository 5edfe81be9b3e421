package operator

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Shift is what an edit does to the times of one action.
type Shift struct {
	Campaign string `json:"campaign"`
	Action   string `json:"action"`
	// What is "kept", "edited: …" with the keys that differ, "new", "renamed
	// from …", "renamed to …", "gone", "removed" with its campaign, or "back".
	What string `json:"what"`
	// Runs are the slots that passed and will still run, Dropped those that
	// would have run and will not.
	Runs    []time.Time `json:"runs"`
	Dropped []time.Time `json:"dropped"`
	// Canceled is how many planned operations will not be sent any more.
	Canceled int `json:"canceled"`
	// From is when the times as they are written count from; nil where the
	// action keeps its place or ends.
	From *time.Time `json:"from"`
}

// shifts tells what becomes of the times of campaigns that are edited, removed
// or brought back.
func (o *Operator) shifts(ctx context.Context, p *Plan) error {
	var names []string
	diffs := map[string]planner.Difference{}
	for _, d := range p.diffs {
		back := d.Change == planner.ChangeNew && p.heads[d.Name].State == journal.Removed
		if d.Change == planner.ChangeChanged || d.Change == planner.ChangeRemoved || back {
			names, diffs[d.Name] = append(names, d.Name), d
		}
	}
	regs, err := o.Journal.Campaigns(ctx, names)
	if err != nil {
		return err
	}
	specs := make([]*campaigns.Campaign, len(regs))
	for i, reg := range regs {
		specs[i] = reg.Spec
	}
	marks, err := o.Journal.Marks(ctx, specs)
	if err != nil {
		return err
	}
	for _, reg := range regs {
		e := edit{o: o, p: p, d: diffs[reg.Spec.Name], was: reg, marks: marks[reg.Spec.Name], now: o.Now().UTC()}
		if err := e.old(ctx); err != nil {
			return err
		}
		e.added()
	}
	return nil
}

// edit is the edit of one campaign.
type edit struct {
	o     *Operator
	p     *Plan
	d     planner.Difference
	was   *journal.Registered
	marks map[string]journal.Mark
	now   time.Time
}

// old tells of the actions that are registered.
func (e *edit) old(ctx context.Context) error {
	for i := range e.was.Spec.Actions {
		a := &e.was.Spec.Actions[i]
		s := Shift{Campaign: e.d.Name, Action: a.ID, Runs: []time.Time{}, Dropped: []time.Time{}}
		is := e.find(a.ID)
		if e.was.State == journal.Removed {
			if is != nil && timed(is) {
				s.What, s.From = "back", &e.now
				e.p.Shifts = append(e.p.Shifts, s)
			}
			continue
		}
		owed, err := e.owed(a, a)
		if err != nil {
			return err
		}
		switch {
		case is == nil:
			s.What, s.Dropped = e.ending(a), owed
			if err := e.drop(ctx, &s); err != nil {
				return err
			}
		case journal.SameTimes(a, is):
			if s.Runs, err = e.owed(is, is); err != nil {
				return err
			}
			s.What, s.Dropped = "kept", without(owed, s.Runs)
			if len(s.Runs)+len(s.Dropped) == 0 {
				continue
			}
		default:
			s.What, s.Dropped, s.From = "edited: "+strings.Join(differing(a, is), ", "), owed, &e.now
		}
		e.p.Shifts = append(e.p.Shifts, s)
	}
	return nil
}

// added tells of the actions that come new.
func (e *edit) added() {
	if e.d.Spec == nil {
		return
	}
	for i := range e.d.Spec.Actions {
		a := &e.d.Spec.Actions[i]
		if _, err := action(e.was.Spec, a.ID); err == nil {
			continue
		}
		s := Shift{Campaign: e.d.Name, Action: a.ID, What: "new", Runs: []time.Time{}, Dropped: []time.Time{}, From: &e.now}
		if old := e.twin(a, e.was.Spec, e.d.Spec); old != "" {
			s.What = "renamed from " + old
			if a.Now {
				e.p.warn("%s/%s is %s renamed: under its new name it runs again, now", e.d.Name, a.ID, old)
			}
		}
		e.p.Shifts = append(e.p.Shifts, s)
	}
}

func (e *edit) find(id string) *campaigns.Action {
	if e.d.Spec == nil {
		return nil
	}
	a, err := action(e.d.Spec, id)
	if err != nil {
		return nil
	}
	return a
}

// ending says how an action ends.
func (e *edit) ending(a *campaigns.Action) string {
	if e.d.Spec == nil {
		return "removed"
	}
	if is := e.twin(a, e.d.Spec, e.was.Spec); is != "" {
		return "renamed to " + is
	}
	return "gone"
}

// twin is an action of a spec with the same verb and times that the other spec
// does not have by its id, or "".
func (e *edit) twin(a *campaigns.Action, in, notIn *campaigns.Campaign) string {
	for i := range in.Actions {
		b := &in.Actions[i]
		if _, err := action(notIn, b.ID); err != nil && journal.SameTimes(a, b) {
			return b.ID
		}
	}
	return ""
}

// owed are the slots that passed and, by an action's policy, are still to run.
func (e *edit) owed(a, by *campaigns.Action) ([]time.Time, error) {
	mark, known := e.marks[a.ID]
	if !known || !timed(a) || mark.Over {
		return []time.Time{}, nil
	}
	s, err := by.Schedule()
	if err != nil {
		return nil, err
	}
	run := planner.DueSlots(by, s, e.d.Name+"/"+a.ID, mark.Watermark, e.now, e.o.Grace).Run
	return append([]time.Time{}, run...), nil
}

// drop counts what ends with an action: operations that are not sent yet, and
// slots of a backfill.
func (e *edit) drop(ctx context.Context, s *Shift) error {
	var err error
	if s.Canceled, err = e.o.Journal.Live(ctx, s.Campaign, s.Action); err != nil {
		return err
	}
	asked, err := e.o.Journal.Backfilling(ctx, s.Campaign, s.Action, 0)
	s.Dropped = append(s.Dropped, asked...)
	return err
}

func timed(a *campaigns.Action) bool { return !a.Now && !a.Waits() }

func without(slots, but []time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(slots), func(t time.Time) bool {
		return slices.ContainsFunc(but, t.Equal)
	})
}

// differing names the keys by which the times of two actions differ.
func differing(a, b *campaigns.Action) []string {
	same := func(s, t *time.Time) bool { return s == t || s != nil && t != nil && s.Equal(*t) }
	var keys []string
	for _, k := range []struct {
		key  string
		same bool
	}{
		{"do", a.Do == b.Do}, {"cron", a.Cron == b.Cron}, {"every", a.Every == b.Every}, {"at", same(a.At, b.At)},
		{"now", a.Now == b.Now}, {"on", a.On == b.On}, {"timezone", a.Timezone == b.Timezone}, {"from", same(a.From, b.From)},
		{"until", same(a.Until, b.Until)}, {"except", slices.Equal(a.Except, b.Except)}, {"dst", a.DST == b.DST},
	} {
		if !k.same {
			keys = append(keys, k.key)
		}
	}
	if len(keys) == 0 {
		keys = append(keys, "after")
	}
	return keys
}
