package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// mark is an action's watermark; the zero time where it has none.
func (s *store) mark(action string) time.Time {
	s.t.Helper()
	entries, err := s.Entries(s.ctx, "c", []string{action})
	s.must(err)
	if len(entries) == 0 {
		return time.Time{}
	}
	return entries[0].Watermark
}

// due are the actions that wait at a time far ahead.
func (s *store) due() []string {
	s.t.Helper()
	entries, err := s.DueEntries(s.ctx, s.now.AddDate(10, 0, 0), 100)
	s.must(err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Campaign+"/"+e.Action)
	}
	return out
}

// fired plans an occurrence that leaves no other.
func (s *store) fired(action string) {
	s.t.Helper()
	at := s.mark(action)
	_, err := s.Create(s.ctx, s.now, &journal.Occurrence{Campaign: "c", Action: action, Expected: at, Watermark: at}, nil)
	s.must(err)
}

func now(id string, do campaigns.Verb) campaigns.Action {
	return campaigns.Action{ID: id, Do: do, Now: true}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	contract(t, []check{
		{"a campaign is kept as it was written", func(s *store) {
			c := campaign("c", every("a", time.Hour))
			c.Items = []campaigns.Item{{Key: "k", Fields: map[string]string{"city": "İzmir"}}}
			s.registered(c)
			got, err := s.Campaign(s.ctx, "c")
			s.must(err)
			s.same("spec", got.Spec, c)
			s.same("head", []any{got.Digest, got.State, got.Since, got.Updated}, []any{c.Digest(), journal.Active, epoch, epoch})
			heads, err := s.Heads(s.ctx, []string{"nobody", "c"})
			s.must(err)
			s.same("heads", heads, []journal.CampaignHead{{Name: "c", Digest: c.Digest(), Source: "file", State: journal.Active, Since: epoch}})
			_, err = s.Campaign(s.ctx, "nobody")
			if !errors.Is(err, journal.ErrNotFound) {
				s.t.Errorf("error is %v, want ErrNotFound", err)
			}
		}},
		{"a new action starts from now, an unchanged one keeps its place", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			s.now = s.now.Add(time.Minute)
			s.registered(campaign("c", every("a", time.Hour), every("b", time.Hour)))
			s.same("a", s.mark("a"), epoch)
			s.same("b", s.mark("b"), s.now)
			s.same("due", s.due(), []string{"c/a", "c/b"})
		}},
		{"an edited trigger starts from now", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			s.now = s.now.Add(time.Minute)
			s.registered(campaign("c", every("a", 2*time.Hour)))
			s.same("a", s.mark("a"), s.now)
		}},
		{"an edited parameter keeps the place", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			s.now = s.now.Add(time.Minute)
			a := every("a", time.Hour)
			a.Jobs = campaigns.JobsAll
			s.registered(campaign("c", a))
			s.same("a", s.mark("a"), epoch)
		}},
		{"a removed action leaves, and starts anew when it comes back", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour), every("b", time.Hour)))
			s.registered(campaign("c", every("b", time.Hour)))
			s.same("a", s.mark("a"), time.Time{})
			s.same("due", s.due(), []string{"c/b"})
			s.now = s.now.Add(time.Minute)
			s.registered(campaign("c", every("a", time.Hour), every("b", time.Hour)))
			s.same("a", s.mark("a"), s.now)
		}},
		{"an action that waits for an event is not on the schedule", func(s *store) {
			s.registered(campaign("c", campaigns.Action{ID: "on", Do: campaigns.DoRate, On: campaigns.OnNewApplication}))
			s.same("due", s.due(), []string{})
			s.must(s.Steer(s.ctx, s.now, "c", journal.Paused, ""))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Active, ""))
			s.same("due after a pause", s.due(), []string{})
		}},
		{"a create that runs now is looked at again with each registration, for new items", func(s *store) {
			s.registered(campaign("c", now("create", campaigns.DoCreate)))
			s.fired("create")
			s.same("due", s.due(), []string{})
			s.registered(campaign("c", now("create", campaigns.DoCreate)))
			s.same("due", s.due(), []string{"c/create"})
			s.same("slot", s.mark("create"), epoch)
		}},
		{"what else runs now has run: to apply a file twice buys nothing", func(s *store) {
			c := campaign("c", now("add", campaigns.DoAddSeats))
			s.registered(c)
			s.fired("add")
			s.registered(c)
			s.same("due", s.due(), []string{})
			s.must(s.Steer(s.ctx, s.now, "c", journal.Paused, ""))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Active, ""))
			s.same("due after a pause", s.due(), []string{})
		}},
		{"a paused campaign leaves the schedule and takes it up again", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour)))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Paused, "lunch"))
			s.same("due", s.due(), []string{})
			got, err := s.Campaign(s.ctx, "c")
			s.must(err)
			s.same("state and reason", []any{got.State, got.Reason}, []any{journal.Paused, "lunch"})
			s.registered(campaign("c", every("a", time.Hour)))
			s.same("due after an edit", s.due(), []string{})
			s.must(s.Steer(s.ctx, s.now, "c", journal.Active, ""))
			s.same("due after", s.due(), []string{"c/a"})
			s.same("watermark", s.mark("a"), epoch)
		}},
		{"a removed campaign comes back without its past", func(s *store) {
			s.registered(campaign("c", every("a", time.Hour), now("create", campaigns.DoCreate)))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Removed, ""))
			names, err := s.SourceCampaigns(s.ctx, "file")
			s.must(err)
			s.same("of the file", len(names), 0)
			s.now = s.now.AddDate(0, 1, 0)
			s.registered(campaign("c", every("a", time.Hour), now("create", campaigns.DoCreate)))
			s.same("slots of the time between", s.mark("a"), s.now)
			s.same("what ran once has its identity still", s.mark("create"), epoch)
			got, err := s.Campaign(s.ctx, "c")
			s.must(err)
			s.same("state", got.State, journal.Active)
		}},
		{"a campaign that moves to another file leaves the first", func(s *store) {
			c := campaign("c", every("a", time.Hour))
			s.registered(c)
			c.Source = "other"
			s.registered(c)
			for source, want := range map[string]int{"file": 0, "other": 1} {
				names, err := s.SourceCampaigns(s.ctx, source)
				s.must(err)
				s.same("of "+source, len(names), want)
			}
		}},
		{"nobody can be steered who is not registered", func(s *store) {
			if err := s.Steer(s.ctx, s.now, "nobody", journal.Paused, ""); !errors.Is(err, journal.ErrNotFound) {
				s.t.Errorf("error is %v, want ErrNotFound", err)
			}
		}},
		{"what a pause held back is released, of that campaign only", func(s *store) {
			s.registered(campaign("c"))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Paused, ""))
			op := s.next("a")
			s.start(op, "1", free())
			other := operation(planner.Create, "a", 0)
			other.ID, other.Campaign = planner.NewID("d", "create", "a", epoch), "d"
			held := s.queued(other)
			s.must(s.Defer(s.ctx, held, s.now, s.now.Add(time.Hour), ""))
			s.must(s.Steer(s.ctx, s.now, "c", journal.Active, ""))
			ids, err := s.Release(s.ctx, s.now, "c")
			s.must(err)
			s.same("released", ids, []string{op.ID})
			s.same("due", s.get(op.ID).Due, s.now)
			ids, err = s.Release(s.ctx, s.now, "")
			s.must(err)
			s.same("released", ids, []string{held.ID})
			s.recount()
		}},
		{"an heir need not wait for the lease of the dead, once", func(s *store) {
			dead, err := s.Lead(s.ctx, "log/first", "", time.Minute)
			s.must(err)
			other, err := s.Lead(s.ctx, "log/second", "logs/", time.Minute)
			s.must(err)
			s.same("no heir", other, "")
			heir, err := s.Lead(s.ctx, "log/second", "log/", time.Minute)
			s.must(err)
			if heir == "" || heir == dead {
				s.t.Errorf("the heir's token is %q, that of the dead %q", heir, dead)
			}
			late, err := s.Lead(s.ctx, "log/first", "", time.Minute)
			s.must(err)
			s.same("one that is not dead after all", late, "")
		}},
		{"one of two holds the lease, and each change of hands fences the last", func(s *store) {
			one, err := s.Lead(s.ctx, "one", "", time.Minute)
			s.must(err)
			again, err := s.Lead(s.ctx, "one", "", time.Minute)
			s.must(err)
			two, err := s.Lead(s.ctx, "two", "", time.Minute)
			s.must(err)
			s.same("tokens", []string{one, again, two}, []string{one, one, ""})
			s.must(s.Yield(s.ctx, "two"))
			two, err = s.Lead(s.ctx, "two", "", time.Minute)
			s.must(err)
			s.same("not his to give back", two, "")
			s.must(s.Yield(s.ctx, "one"))
			two, err = s.Lead(s.ctx, "two", "", time.Minute)
			s.must(err)
			if two == "" || two == one {
				s.t.Errorf("the new token is %q, the old %q", two, one)
			}
		}},
		{"a copy of a spec follows its edits", func(s *store) {
			specs := journal.NewSpecs(s.Journal)
			c := campaign("c", every("a", time.Hour))
			c.Items = []campaigns.Item{{Key: "k"}}
			s.registered(c)
			s.must(specs.Refresh(s.ctx, []string{"c", "nobody"}))
			first := specs.Get("c")
			s.same("item", first.Items["k"].Key, "k")
			s.must(specs.Refresh(s.ctx, []string{"c"}))
			if specs.Get("c") != first {
				s.t.Error("an unchanged copy was read again")
			}
			s.must(s.Steer(s.ctx, s.now, "c", journal.Paused, ""))
			s.must(specs.Refresh(s.ctx, []string{"c"}))
			s.same("state", specs.Get("c").State, journal.Paused)
			s.registered(campaign("c", every("b", time.Hour)))
			s.must(specs.Refresh(s.ctx, []string{"c"}))
			if got := specs.Get("c"); got.Action("a") != nil || got.Action("b") == nil {
				s.t.Error("the copy has the old actions")
			}
			if specs.Get("nobody") != nil {
				s.t.Error("there is a copy of nobody")
			}
		}},
	})
}
