package executor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestTeamsAreKeptInStep(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "team_create:drop_after@1", "team_create:500_before@1", "member_add:drop_after@1", "member_delete:500_after@1", "members:500_after@1"} {
		t.Run(or(fault, "without faults"), func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			sync := func(members ...int64) {
				t.Helper()
				team := campaigns.Team{Name: "raters"}
				for _, m := range members {
					team.Members = append(team.Members, campaigns.TeamMember{User: m, Note: "good"})
				}
				r.clock.advance(time.Minute)
				ids := r.plan(planner.SyncTeams("file", []campaigns.Team{team}, func(campaigns.Team) string { return "x" }, r.clock.now())...)
				r.settle()
				r.want(ids[0], planner.Applied)
			}
			r.faults(fault)
			sync(12001, 12002)
			sync(12002, 12003)
			teams, err := r.market.Teams(t.Context())
			r.must(err)
			if len(teams) != 1 {
				t.Fatalf("%d teams, want 1", len(teams))
			}
			members, err := r.market.TeamMembers(t.Context(), teams[0].ID)
			r.must(err)
			var got []int64
			for _, m := range members {
				got = append(got, m.WorkerID)
			}
			slices.Sort(got)
			if !slices.Equal(got, []int64{12002, 12003}) {
				t.Errorf("the members are %v, want 12002 and 12003", got)
			}
		})
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// rating plans a verdict on an application as it is now.
func (r *rig) rating(app int64, v campaigns.Verdict) string {
	r.t.Helper()
	a, err := r.market.Application(r.t.Context(), app)
	r.must(err)
	return r.plan(planner.OnApplication("signs", "rate", "a", a.JobID, planner.Rating{
		ApplicationID: app, Verdict: v, Reason: "because", Proof: executor.ProofDigest(a),
	}, a.AppliedAt))[0]
}

func TestRatings(t *testing.T) {
	t.Parallel()
	status := func(r *rig, app int64) api.ApplicationStatus {
		a, err := r.market.Application(r.t.Context(), app)
		r.must(err)
		return a.Status
	}
	for name, c := range map[string]struct {
		verdict   campaigns.Verdict
		faults    string
		meanwhile func(r *rig, app int64)
		state     planner.State
		status    api.ApplicationStatus
		requests  uint64
	}{
		"an approval":               {campaigns.Approve, "", nil, planner.Applied, api.Approved, 1},
		"a decline":                 {campaigns.Decline, "", nil, planner.Applied, api.Declined, 1},
		"another try":               {campaigns.Redo, "", nil, planner.Applied, api.NotCompleted, 1},
		"an answer lost":            {campaigns.Approve, "rate:drop_after@1", nil, planner.Applied, api.Approved, 1},
		"a request lost":            {campaigns.Approve, "rate:drop_before@1", nil, planner.Applied, api.Approved, 2},
		"a late request":            {campaigns.Approve, "rate:late(90s)@1", nil, planner.Applied, api.Approved, 1},
		"an answer that is no JSON": {campaigns.Decline, "rate:html_200_after@1", nil, planner.Applied, api.Declined, 1},
		"too many requests":         {campaigns.Decline, "rate:429(3s)@1", nil, planner.Applied, api.Declined, 2},
		"a conflicting word of another": {
			campaigns.Decline, "rate:drop_before@1",
			func(r *rig, app int64) { r.must(r.box.RateApplication(app, sandbox.AppApproved, "")) },
			planner.Rejected, api.Approved, 1,
		},
		"approved by another before": {
			campaigns.Approve, "rate:drop_before@1",
			func(r *rig, app int64) { r.must(r.box.RateApplication(app, sandbox.AppApproved, "")) },
			planner.Applied, api.Approved, 1,
		},
		"handed in again after the answer was lost": {
			campaigns.Redo, "rate:drop_after@1",
			func(r *rig, app int64) { r.must(r.box.HandInAgain(app, sandbox.Handed{Text: "better"})) },
			planner.Applied, api.Pending, 1,
		},
		"another proof than the one that was judged": {
			campaigns.Approve, "rate:drop_before@1",
			func(r *rig, app int64) {
				r.must(r.box.RateApplication(app, sandbox.AppNotCompleted, "more"))
				r.must(r.box.HandInAgain(app, sandbox.Handed{Text: "other"}))
			},
			planner.Rejected, api.Pending, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			job := r.created()
			apps, err := r.box.AddApplications(job, 1)
			r.must(err)
			r.faults(c.faults)
			id := r.rating(apps[0], c.verdict)
			r.step()
			if c.meanwhile != nil {
				c.meanwhile(r, apps[0])
			}
			r.settle()
			r.want(id, c.state)
			if got := status(r, apps[0]); got != c.status {
				t.Errorf("the application is %s, want %s", got, c.status)
			}
			if got := r.box.Traffic().Received["rate"]; got != c.requests {
				t.Errorf("%d requests arrived, want %d", got, c.requests)
			}
		})
	}
}

func TestASecondVerdictOnOneProofIsNeverPlanned(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	job := r.created()
	apps, err := r.box.AddApplications(job, 1)
	r.must(err)
	r.rating(apps[0], campaigns.Redo)
	r.settle()
	a, err := r.market.Application(t.Context(), apps[0])
	r.must(err)
	again := r.plan(planner.OnApplication("signs", "other", "a", job, planner.Rating{
		ApplicationID: apps[0], Verdict: campaigns.Approve, Proof: executor.ProofDigest(a),
	}, a.AppliedAt))
	if len(again) != 0 {
		t.Errorf("planned %v over the first verdict", again)
	}
	r.clock.advance(time.Hour)
	r.must(r.box.HandInAgain(apps[0], sandbox.Handed{Text: "better"}))
	id := r.rating(apps[0], campaigns.Approve)
	r.settle()
	r.want(id, planner.Applied)
}
