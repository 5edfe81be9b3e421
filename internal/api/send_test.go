package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/google/go-cmp/cmp"
)

func TestWhatTheReferenceForbidsIsNotSent(t *testing.T) {
	t.Parallel()
	m := answer(t, http.StatusOK, `{"result":"ok"}`)
	c := client(t, api.Config{BaseURL: m.URL})
	with := func(edit func(*api.NewJob)) func(context.Context) error {
		job := newJob()
		edit(&job)
		return func(ctx context.Context) error {
			_, err := c.CreateJob(ctx, job)
			_, quoteErr := c.Quote(ctx, job)
			return errors.Join(err, quoteErr)
		}
	}
	change := func(ch api.JobChange) func(context.Context) error {
		return func(ctx context.Context) error { return c.UpdateJob(ctx, 1, ch) }
	}
	for name, call := range map[string]func(context.Context) error{
		"no title":            with(func(j *api.NewJob) { j.Title = "" }),
		"no price":            with(func(j *api.NewJob) { j.Price = 0 }),
		"a negative price":    with(func(j *api.NewJob) { j.Price = -money.Dollar }),
		"no seats":            with(func(j *api.NewJob) { j.Seats = 0 }),
		"no minutes":          with(func(j *api.NewJob) { j.Minutes = 0 }),
		"no category":         with(func(j *api.NewJob) { j.CategoryID = 0 }),
		"no audience":         with(func(j *api.NewJob) { j.International = false }),
		"two audiences":       with(func(j *api.NewJob) { j.CountryIDs = []int64{1} }),
		"a negative team":     with(func(j *api.NewJob) { j.International, j.TeamID = false, -1 }),
		"no steps":            with(func(j *api.NewJob) { j.Steps = nil }),
		"no proof":            with(func(j *api.NewJob) { j.Proof = nil }),
		"a limit of 0":        with(func(j *api.NewJob) { j.Limit = &api.JobLimit{Duration: api.Daily} }),
		"a limit a week":      with(func(j *api.NewJob) { j.Limit = &api.JobLimit{Limit: 1, Duration: "weekly"} }),
		"an empty change":     change(api.JobChange{}),
		"an empty title":      change(api.JobChange{Title: ptr("")}),
		"0 minutes":           change(api.JobChange{Minutes: ptr(0)}),
		"a change of limit":   change(api.JobChange{Limit: &api.JobLimit{}}),
		"a restart too soon":  change(api.JobChange{RestartEvery: ptr(59 * time.Second)}),
		"a restart too late":  change(api.JobChange{RestartEvery: ptr(361 * 24 * time.Hour)}),
		"a broken second":     change(api.JobChange{RestartEvery: ptr(90*time.Second + 1)}),
		"a negative restart":  change(api.JobChange{RestartEvery: ptr(-time.Second)}),
		"job 0":               func(ctx context.Context) error { _, err := c.Job(ctx, 0); return err },
		"pause of job -1":     func(ctx context.Context) error { return c.PauseJob(ctx, -1) },
		"0 more seats":        func(ctx context.Context) error { _, err := c.AddSeats(ctx, 1, 0); return err },
		"-5 more seats":       func(ctx context.Context) error { _, err := c.AddSeats(ctx, 1, -5); return err },
		"resume of 0 seats":   func(ctx context.Context) error { _, err := c.ResumeJob(ctx, 1, api.ResumeRequest{}); return err },
		"page 0":              func(ctx context.Context) error { _, err := c.Jobs(ctx, api.JobsAll, 0); return err },
		"status 2 of jobs":    func(ctx context.Context) error { _, err := c.Jobs(ctx, "2", 1); return err },
		"status 6":            func(ctx context.Context) error { _, err := c.Applications(ctx, 1, 6, 1); return err },
		"no reason":           func(ctx context.Context) error { return c.Rate(ctx, 1, api.Rating{Status: api.Declined}) },
		"set to pending":      func(ctx context.Context) error { return c.Rate(ctx, 1, api.Rating{Status: api.Pending, Reason: "a"}) },
		"no title of a team":  func(ctx context.Context) error { _, err := c.CreateTeam(ctx, ""); return err },
		"team 0":              func(ctx context.Context) error { _, err := c.UpdateTeam(ctx, 0, "a"); return err },
		"deletion of team 0":  func(ctx context.Context) error { return c.DeleteTeam(ctx, 0) },
		"member without note": func(ctx context.Context) error { return c.AddTeamMember(ctx, 1, 2, "") },
		"member 0":            func(ctx context.Context) error { return c.DeleteTeamMember(ctx, 1, 0) },
	} {
		if err := call(t.Context()); api.EffectOf(err) != api.EffectRejected || api.ReasonOf(err) != api.ReasonInvalid {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if n := len(m.seen()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestBodiesOfRarerShapes(t *testing.T) {
	t.Parallel()
	base := api.NewJob{Title: "<a&b>", Price: money.MustParse("0.000001"), Seats: 1, Minutes: 1, CategoryID: 1,
		Steps: []string{"s"}, Proof: []api.Proof{{Desc: "d", Type: "text"}}}
	team, some := base, base
	team.TeamID, team.HideSearchEngines = 1234, true
	some.CountryIDs, some.Limit = []int64{1269750, 1282988}, &api.JobLimit{Limit: 5, Duration: api.Daily}
	for _, row := range []struct {
		name string
		call func(context.Context, *api.Client) error
		want string
	}{
		{"a team's job", func(ctx context.Context, c *api.Client) error { _, err := c.CreateJob(ctx, team); return err },
			`{"title":"<a&b>","price":0.000001,"availseats":1,"country":0,"category":1,"time":1,"expected":["s"],
			"proof":[{"desc":"d","type":"text"}],"hide_search_engines":1,"team_id":1234}`},
		{"a job for some countries", func(ctx context.Context, c *api.Client) error { _, err := c.CreateJob(ctx, some); return err },
			`{"title":"<a&b>","price":0.000001,"availseats":1,"country":[1269750,1282988],"category":1,"time":1,
			"job_limit":{"limit":5,"duration":"daily"},"expected":["s"],"proof":[{"desc":"d","type":"text"}]}`},
		{"restart every day", func(ctx context.Context, c *api.Client) error {
			return c.UpdateJob(ctx, 1, api.JobChange{RestartEvery: ptr(24 * time.Hour)})
		}, `{"restart_schedule":86400}`},
		{"restart no more", func(ctx context.Context, c *api.Client) error {
			return c.UpdateJob(ctx, 1, api.JobChange{RestartEvery: ptr(time.Duration(0))})
		}, `{"restart_schedule":-1}`},
		{"resume without extras", func(ctx context.Context, c *api.Client) error {
			_, err := c.ResumeJob(ctx, 1, api.ResumeRequest{Seats: 3})
			return err
		}, `{"seat_count":3}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := answer(t, http.StatusOK, `{"result":"ok","cost":1,"job_id":1}`)
			if err := row.call(t.Context(), client(t, api.Config{BaseURL: m.URL})); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, row.want), tree(t, m.only(t).Body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
