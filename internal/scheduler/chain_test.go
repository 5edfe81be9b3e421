package scheduler_test

import (
	"slices"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// after is an action that follows another one.
func after(id string, do campaigns.Verb, campaign, action string) campaigns.Action {
	a := hourly(do)
	a.ID, a.Every, a.After = id, 0, &campaigns.After{Campaign: campaign, Action: action}
	a.Jobs = campaigns.JobsAll
	return a
}

// of is a campaign of the given items.
func of(name string, items []string, actions ...campaigns.Action) *campaigns.Campaign {
	c := spec(actions...)
	c.Name, c.Items = name, nil
	for _, key := range items {
		c.Items = append(c.Items, campaigns.Item{Key: key})
	}
	return c
}

// end settles an operation; a create that is applied makes the job.
func (r *rig) end(id string, to planner.State, job int64) {
	r.t.Helper()
	op, err := r.books.Get(r.t.Context(), id)
	r.must(err)
	s := journal.Settlement{Op: op, From: op.State, Stamp: id + string(to), To: to, Now: r.now, JobID: job}
	if job != 0 && op.Kind == planner.Create {
		s.Made = &journal.Made{Item: op.Item, Slot: op.Slot, Seats: 10}
	}
	_, err = r.books.Settle(r.t.Context(), s)
	r.must(err)
}

// chains looks at what has ended and returns what was handed on by it.
func (r *rig) chains() []string {
	r.t.Helper()
	r.handed = nil
	r.must(r.s.Chains(r.t.Context()))
	slices.Sort(r.handed)
	return r.handed
}

const slot = "/20261124T120000Z"

func TestAnActionFollowsOnceAllOfTheOtherHasEnded(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(of("c", []string{"a", "b", "d"}, at(campaigns.DoCreate),
		after("more", campaigns.DoAddSeats, "c", "create"), after("then", campaigns.DoRestart, "c", "more")))
	r.register(of("second", []string{"a", "b", "other"}, after("create", campaigns.DoCreate, "c", "create")))
	r.tick()
	r.same("before anything has ended", len(r.chains()), 0)
	r.end("c/create/a"+slot, planner.Applied, 1)
	r.end("c/create/b"+slot, planner.Rejected, 0)
	r.same("while one is on its way", len(r.chains()), 0)
	r.end("c/create/d"+slot, planner.Applied, 4)
	r.same("once all have ended", r.chains(), []string{
		"c/more/a@1" + slot, "c/more/d@4" + slot, "second/create/a" + slot, "second/create/other" + slot,
	})
	r.same("looked at again", len(r.chains()), 0)
	r.end("c/more/a@1"+slot, planner.Applied, 1)
	r.end("c/more/d@4"+slot, planner.Skipped, 4)
	r.same("the link behind it", r.chains(), []string{"c/then/a@1" + slot})
}

func TestWhatFollowsWaitsForAPersonsWord(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(of("c", []string{"a", "b"}, at(campaigns.DoCreate), after("more", campaigns.DoAddSeats, "c", "create")))
	r.tick()
	r.end("c/create/a"+slot, planner.Applied, 1)
	r.end("c/create/b"+slot, planner.Parked, 0)
	r.same("while one is parked", len(r.chains()), 0)
	r.end("c/create/b"+slot, planner.Applied, 2)
	r.same("once it is resolved", r.chains(), []string{"c/more/a@1" + slot, "c/more/b@2" + slot})
}

func TestNothingFollowsWhereNothingWasDone(t *testing.T) {
	t.Parallel()
	for _, state := range []planner.State{planner.Rejected, planner.Skipped, planner.Canceled} {
		r := setup(t)
		r.register(of("c", []string{"a"}, at(campaigns.DoCreate), after("again", campaigns.DoCreate, "c", "create")))
		r.register(of("second", []string{"z"}, after("create", campaigns.DoCreate, "c", "create")))
		r.tick()
		r.end("c/create/a"+slot, state, 0)
		r.same(string(state), len(r.chains()), 0)
	}
}

func TestARowAddedLaterIsFollowedAlone(t *testing.T) {
	t.Parallel()
	r := setup(t)
	first := of("c", []string{"a"}, at(campaigns.DoCreate), after("more", campaigns.DoAddSeats, "c", "create"))
	r.register(first)
	r.register(of("second", []string{"x"}, after("more", campaigns.DoAddSeats, "c", "create")))
	r.must(r.books.Adopt(t.Context(), r.now, journal.Job{ID: 90, Campaign: "second", Item: "x", Status: journal.JobOnline}))
	r.tick()
	r.end("c/create/a"+slot, planner.Applied, 1)
	r.same("at first", r.chains(), []string{"c/more/a@1" + slot, "second/more/x@90" + slot})
	r.end("c/more/a@1"+slot, planner.Applied, 1)
	r.must(r.books.Adopt(t.Context(), r.now, journal.Job{ID: 91, Campaign: "second", Item: "x", Status: journal.JobOnline}))
	r.now = r.now.Add(time.Hour)
	first.Items = append(first.Items, campaigns.Item{Key: "b"})
	r.register(first)
	r.same("the new row", r.tick(), []string{"c/create/b" + slot})
	r.end("c/create/b"+slot, planner.Applied, 2)
	r.same("what follows it", r.chains(), []string{"c/more/b@2" + slot})
}

func TestARatingRunFollowsOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(of("c", []string{"a", "b"}, at(campaigns.DoCreate), after("rate", campaigns.DoRate, "c", "create")))
	r.tick()
	r.end("c/create/a"+slot, planner.Applied, 1)
	r.end("c/create/b"+slot, planner.Rejected, 0)
	r.chains()
	want := []journal.Review{{Campaign: "c", Action: "rate", Slot: noon}}
	r.same("reviews", r.reviews, want)
	op, err := r.books.Get(t.Context(), "c/create/b"+slot)
	r.must(err)
	r.must(r.books.Retry(t.Context(), r.now, op.ID, ""))
	r.end(op.ID, planner.Applied, 2)
	r.chains()
	r.same("reviews after more has ended", r.reviews, want)
}

func TestAChainThatWasEditedFollowsWhatItNames(t *testing.T) {
	t.Parallel()
	r := setup(t)
	other := at(campaigns.DoCreate)
	other.ID = "other"
	r.register(of("c", []string{"a"}, at(campaigns.DoCreate), other, after("more", campaigns.DoAddSeats, "c", "create")))
	r.register(of("c", []string{"a"}, at(campaigns.DoCreate), other, after("more", campaigns.DoAddSeats, "c", "other")))
	r.tick()
	r.end("c/create/a"+slot, planner.Applied, 1)
	r.same("after the old one", len(r.chains()), 0)
	r.end("c/other/a"+slot, planner.Applied, 2)
	r.same("after the new one", r.chains(), []string{"c/more/a@2" + slot})
	r.must(r.books.Steer(t.Context(), r.now, "c", journal.Removed, ""))
}

func TestAStopHoldsChainsToo(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(of("c", []string{"a"}, at(campaigns.DoCreate), after("more", campaigns.DoAddSeats, "c", "create")))
	r.tick()
	r.end("c/create/a"+slot, planner.Applied, 1)
	r.must(r.books.Stop(t.Context(), "fire"))
	r.same("while all is stopped", len(r.chains()), 0)
	r.must(r.books.Stop(t.Context(), ""))
	r.same("afterwards", r.chains(), []string{"c/more/a@1" + slot})
}

// TestWhatFollowedBeforeALossIsNotFollowedAgain recovers one of two creates. What
// followed it is lost with the journal, so that it must not be bought again; what
// is made afterwards is followed alone.
func TestWhatFollowedBeforeALossIsNotFollowedAgain(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.register(of("c", []string{"a", "b"}, at(campaigns.DoCreate), after("more", campaigns.DoAddSeats, "c", "create"),
		after("rate", campaigns.DoRate, "c", "create")))
	r.register(of("second", []string{"a", "b", "x"}, after("create", campaigns.DoCreate, "c", "create"),
		after("seats", campaigns.DoAddSeats, "c", "create")))
	r.must(r.books.Adopt(t.Context(), r.now, journal.Job{ID: 90, Campaign: "second", Item: "x", Status: journal.JobOnline}))
	rec := journal.Recovered{
		Op: planner.Operation{
			ID: planner.NewID("c", "create", "a", noon), Campaign: "c", Action: "create", Item: "a",
			Kind: planner.Create, Slot: noon, Seats: 10,
		},
		Job: journal.Job{ID: 1, Item: "a", Slot: noon, Status: journal.JobOnline, Seats: 10}, At: noon,
	}
	for range 2 {
		_, err := r.books.Recover(t.Context(), r.now, rec)
		r.must(err)
		r.same("after a recovery", len(r.chains()), 0)
	}
	r.same("what is made then", r.tick(), []string{"c/create/b" + slot})
	r.end("c/create/b"+slot, planner.Applied, 2)
	r.same("is followed alone", r.chains(), []string{"c/more/b@2" + slot, "second/create/b" + slot})
	r.same("looked at again", len(r.chains()), 0)
}
