package planner_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// fleet is what a recurring create left behind: two jobs of each item and one
// that was adopted.
var fleet = []planner.Job{
	{ID: 9, Item: "b", Online: true},
	{ID: 1, Item: "a"},
	{ID: 4, Item: "a", Online: true},
	{ID: 2, Item: "b", Online: true},
	{ID: 7, Item: "c", Online: true, Gone: true},
	{ID: 3, Item: "c"},
	{ID: 5, Item: "5"},
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for claim, c := range map[string]struct {
		do   campaigns.Verb
		jobs campaigns.JobChoice
		want []int64
	}{
		"online jobs are those that run":                           {campaigns.DoAddSeats, campaigns.JobsOnline, []int64{2, 4, 9}},
		"latest is the newest of each item, where it runs":         {campaigns.DoAddSeats, campaigns.JobsLatest, []int64{4, 9}},
		"all is every job, but for those that are gone":            {campaigns.DoRestart, campaigns.JobsAll, []int64{1, 2, 3, 4, 5, 9}},
		"a pause has no meaning for a finished job":                {campaigns.DoPause, campaigns.JobsAll, []int64{2, 4, 9}},
		"a resume has none for one that runs":                      {campaigns.DoResume, campaigns.JobsAll, []int64{1, 3, 5}},
		"the latest to resume is not one that is gone":             {campaigns.DoResume, campaigns.JobsLatest, []int64{3, 5}},
		"an update of the latest leaves finished jobs as they are": {campaigns.DoUpdate, campaigns.JobsLatest, []int64{4, 9}},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(fleet)
			var got []int64
			for _, j := range planner.Choose(&campaigns.Action{Do: c.do, Jobs: c.jobs}, fleet) {
				got = append(got, j.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("jobs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, fleet); diff != "" {
				t.Errorf("the list was changed:\n%s", diff)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	c := &campaigns.Campaign{
		Name: "signs", Items: []campaigns.Item{{Key: "a"}, {Key: "Kraków/1"}}, Job: &campaigns.Job{Seats: 100},
	}
	slot := time.Date(2026, 11, 30, 9, 0, 0, 0, time.FixedZone("", 3*3600))
	t.Run("a create is one operation an item", func(t *testing.T) {
		t.Parallel()
		ops := planner.Expand(c, &campaigns.Action{ID: "weekly", Do: campaigns.DoCreate}, slot, fleet)
		want := []string{"signs/weekly/a/20261130T060000Z", "signs/weekly/Kraków%2F1/20261130T060000Z"}
		if diff := cmp.Diff(want, ids(ops)); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
		if ops[0].Seats != 100 || ops[0].Queue() != planner.QueueMoney || ops[0].JobID != 0 {
			t.Errorf("the operation is %+v", ops[0])
		}
	})
	t.Run("a purchase is one operation a job", func(t *testing.T) {
		t.Parallel()
		ops := planner.Expand(c, &campaigns.Action{ID: "more", Do: campaigns.DoAddSeats, Seats: 20, Jobs: campaigns.JobsOnline}, slot, fleet)
		want := []string{"signs/more/b@2/20261130T060000Z", "signs/more/a@4/20261130T060000Z", "signs/more/b@9/20261130T060000Z"}
		if diff := cmp.Diff(want, ids(ops)); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
		if ops[1].Seats != 20 || ops[1].JobID != 4 || ops[1].Item != "a" {
			t.Errorf("the operation is %+v", ops[1])
		}
	})
	t.Run("a rating yields none before the applications are read", func(t *testing.T) {
		t.Parallel()
		if ops := planner.Expand(c, &campaigns.Action{ID: "rate", Do: campaigns.DoRate}, slot, fleet); len(ops) != 0 {
			t.Errorf("operations are %v", ids(ops))
		}
	})
	t.Run("a campaign without a job plans no seats", func(t *testing.T) {
		t.Parallel()
		ops := planner.Expand(&campaigns.Campaign{Name: "x", Items: c.Items}, &campaigns.Action{ID: "create", Do: campaigns.DoCreate}, slot, nil)
		if ops[0].Seats != 0 {
			t.Errorf("%d seats", ops[0].Seats)
		}
	})
}

func ids(ops []planner.Operation) []string {
	out := make([]string, len(ops))
	for i, op := range ops {
		out[i] = op.ID
	}
	return out
}

func TestPauseAllPausesWhatMaySpend(t *testing.T) {
	t.Parallel()
	ops := planner.PauseAll("signs", planner.ActionBudget, fleet, noon, "the budget reached 80")
	want := []string{
		"signs/budget:pause/b@9/20261124T120000Z", "signs/budget:pause/a@4/20261124T120000Z", "signs/budget:pause/b@2/20261124T120000Z",
	}
	if diff := cmp.Diff(want, ids(ops)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	for _, op := range ops {
		if op.Queue() != planner.QueueControl || op.Because == "" || op.Kind != planner.Pause {
			t.Errorf("the operation is %+v", op)
		}
	}
	if again := planner.PauseAll("signs", planner.ActionBudget, fleet, noon.Add(time.Second), "x"); again[0].ID == ops[0].ID {
		t.Error("another occasion has the same identity")
	}
}

func TestARatingIsOfOneProofWhoeverFoundIt(t *testing.T) {
	t.Parallel()
	one := planner.OnApplication("signs", "rate", "a", 7, planner.Rating{ApplicationID: 5, Proof: "aa"}, noon)
	other := planner.OnApplication("signs", "rate:decision", "a", 7, planner.Rating{ApplicationID: 5, Proof: "aa", Verdict: campaigns.Decline}, noon)
	next := planner.OnApplication("signs", "rate", "a", 7, planner.Rating{ApplicationID: 5, Proof: "bb"}, noon)
	if one.ID != other.ID || one.ID == next.ID {
		t.Errorf("identities are %s, %s and %s", one.ID, other.ID, next.ID)
	}
	if one.Queue() != planner.QueueRate || one.ApplicationID() != 5 || (&planner.Operation{}).ApplicationID() != 0 {
		t.Errorf("the operation is %+v", one)
	}
}

func TestTeamsAreSyncedOnceForEachWish(t *testing.T) {
	t.Parallel()
	teams := []campaigns.Team{{Name: "raters"}, {Name: "checkers"}}
	digest := func(team campaigns.Team) string { return fmt.Sprint(len(team.Members)) }
	ops := planner.SyncTeams("file", teams, digest, noon)
	want := []string{"file/teams:sync/raters-0/20261124T120000Z", "file/teams:sync/checkers-0/20261124T120000Z"}
	if diff := cmp.Diff(want, ids(ops)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if ops[0].Team.Name != "raters" || ops[1].Team.Name != "checkers" {
		t.Errorf("the teams are %v and %v", ops[0].Team, ops[1].Team)
	}
}

func TestWhatEachKindMeans(t *testing.T) {
	t.Parallel()
	for kind, want := range map[planner.Kind][2]bool{
		planner.Create: {true, true}, planner.AddSeats: {true, true}, planner.Resume: {true, true},
		planner.Pause: {false, true}, planner.Restart: {}, planner.Update: {}, planner.Rate: {}, planner.TeamSync: {},
	} {
		if got := [2]bool{kind.Paying(), kind.MovesMoney()}; got != want {
			t.Errorf("%s: paying and moving money are %v, want %v", kind, got, want)
		}
	}
	var settled []planner.State
	for _, s := range planner.States() {
		if s.Settled() {
			settled = append(settled, s)
		}
	}
	want := []planner.State{planner.Applied, planner.Rejected, planner.Parked, planner.Skipped, planner.Canceled}
	if diff := cmp.Diff(want, settled); diff != "" {
		t.Errorf("settled states (-want +got):\n%s", diff)
	}
}
