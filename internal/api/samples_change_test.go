package api_test

import (
	"context"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
)

var sampleTeam = api.Team{ID: 1234, UserID: 123456, Title: "Test Title",
	CreatedAt: at("2022-07-10T00:04:53Z"), UpdatedAt: at("2022-07-10T00:04:53Z")}

const teamSample = `{"title": "Test Title", "user_id": 123456, "updated_at": "2022-07-10T00:04:53.000000Z",
	"created_at": "2022-07-10T00:04:53.000000Z", "id": 1234}`

const membersSample = `[{"id": 17, "owner_id": 123456789, "worker_id": 153456789, "team_id": 1234,
	"note": "Social Media Expert", "created_at": "2022-07-04T11:42:31.000000Z",
	"updated_at": "2022-07-04T11:42:31.000000Z"},
	{"id": 18, "owner_id": 123456789, "worker_id": 153456789, "team_id": 1234, "note": "Social Media Expert",
	"created_at": "2022-07-04T11:42:31.000000Z", "updated_at": "2022-07-04T11:42:31.000000Z"}]`

func sampleMember(id int64) api.TeamMember {
	return api.TeamMember{ID: id, OwnerID: 123456789, WorkerID: 153456789, TeamID: 1234, Note: "Social Media Expert",
		CreatedAt: at("2022-07-04T11:42:31Z"), UpdatedAt: at("2022-07-04T11:42:31Z")}
}

// done turns a method that only answers an error into a sample's call.
func done(f func(context.Context, *api.Client) error) func(context.Context, *api.Client) (any, error) {
	return func(ctx context.Context, c *api.Client) (any, error) { return nil, f(ctx, c) }
}

var teamSamples = []sample{
	{name: "teams", call: func(ctx context.Context, c *api.Client) (any, error) { return c.Teams(ctx) },
		line: "GET /api/v1/teams", answer: jsonArray(teamSample), want: []api.Team{sampleTeam}, json: jsonArray(teamSample)},
	{name: "create a team",
		call: func(ctx context.Context, c *api.Client) (any, error) { return c.CreateTeam(ctx, "Test Title") },
		line: "POST /api/v1/teams/create", body: `{"title": "Test Title"}`, answer: teamSample, want: sampleTeam, json: teamSample},
	{name: "update a team",
		call: func(ctx context.Context, c *api.Client) (any, error) { return c.UpdateTeam(ctx, 1234, "Test Title") },
		line: "POST /api/v1/teams/update", body: `{"title": "Test Title", "id": 1234}`, answer: teamSample, want: sampleTeam},
	{name: "delete a team",
		call: done(func(ctx context.Context, c *api.Client) error { return c.DeleteTeam(ctx, 1234) }),
		line: "POST /api/v1/teams/delete", body: `{"id": 1234}`, answer: `{"ok":1}`},
	{name: "members of a team",
		call: func(ctx context.Context, c *api.Client) (any, error) { return c.TeamMembers(ctx, 1234) },
		line: "POST /api/v1/teams/members", body: `{"team_id": 1234}`, answer: membersSample,
		want: []api.TeamMember{sampleMember(17), sampleMember(18)}, json: membersSample},
	{name: "add a member",
		call: done(func(ctx context.Context, c *api.Client) error {
			return c.AddTeamMember(ctx, 1234, 1234567, "Social Media Worker")
		}),
		line: "POST /api/v1/teams/add_member",
		body: `{"team_id": 1234, "user_id": 1234567, "note": "Social Media Worker"}`, answer: `{"ok": 1}`},
	{name: "delete a member",
		call: done(func(ctx context.Context, c *api.Client) error { return c.DeleteTeamMember(ctx, 1234, 123456789) }),
		line: "POST /api/v1/teams/delete_member", body: `{"team_id": 1234, "user_id": 123456789}`, answer: `[{"ok": 1}]`},
}

func newJob() api.NewJob {
	return api.NewJob{Title: "Follow me on somewhere", Price: money.MustParse("0.03"), International: true,
		Seats: 100, Minutes: 1, CategoryID: 13, Steps: []string{"Do this", "And do this", "Then do this"},
		Limit: &api.JobLimit{Limit: 10, Duration: api.Hourly},
		Proof: []api.Proof{{Desc: "Screenshot of your profile at ACME website", Type: "image"},
			{Desc: "Your username", Type: "text"}},
		SendTweet: true}
}

func automatedJob(title string, category int64, step, proof string) api.NewJob {
	return api.NewJob{Title: title, Price: money.MustParse("0.03"), International: true, Seats: 100, Minutes: 3,
		CategoryID: category, Automated: true, Steps: []string{step}, Proof: []api.Proof{{Desc: proof, Type: proof}},
		SendTweet: true}
}

const newJobBody = `"title": "Follow me on somewhere", "price": 0.03, "country": "INT", "availseats": 100, "time": 1,
	"category": 13, "expected": ["Do this", "And do this", "Then do this"],
	"job_limit": {"limit": 10, "duration": "hourly"},
	"proof": [{"desc": "Screenshot of your profile at ACME website", "type": "image"},
		{"desc": "Your username", "type": "text"}], "send_tweet": 1`

func create(job api.NewJob) func(context.Context, *api.Client) (any, error) {
	return func(ctx context.Context, c *api.Client) (any, error) { return c.CreateJob(ctx, job) }
}

const (
	createdSample = `{"result": "ok", "cost": 4.875, "job_id": 15357}`
	jobDoneSample = `{"result": "ok", "job_id": 15341}`
	tweet         = "https://twitter.com/hiretalentscom/status/1521806850173374467"
)

var created = api.Receipt{JobID: 15357, Cost: money.MustParse("4.875")}

func ptr[T any](v T) *T { return &v }

var changeSamples = []sample{
	{name: "create a job", call: create(newJob()), line: "POST /api/v1/jobs/create", body: `{` + newJobBody + `}`,
		answer: createdSample, want: created, json: createdSample},
	{name: "quote a job",
		call: func(ctx context.Context, c *api.Client) (any, error) { return c.Quote(ctx, newJob()) },
		line: "POST /api/v1/jobs/create", body: `{` + newJobBody + `, "get_cost": 1}`,
		answer: `{"result": "ok", "cost": 4.875}`, want: api.Quote{Cost: money.MustParse("4.875")},
		json: `{"result": "ok", "cost": 4.875}`},
	{name: "create a job that tweets",
		call: create(automatedJob("Like my Tweet", 13, "Your text what do you want users to tweet.", "send_tweet")),
		line: "POST /api/v1/jobs/create",
		body: `{"title": "Like my Tweet", "price": 0.03, "country": "INT", "availseats": 100, "time": 3, "category": 13,
			"automated": 1, "expected": ["Your text what do you want users to tweet."],
			"proof": [{"desc": "send_tweet", "type": "send_tweet"}], "send_tweet": 1}`,
		answer: createdSample, want: created},
	{name: "create a job that likes a tweet",
		call: create(automatedJob("Like my Tweet", 114, tweet, "like_tweet")), line: "POST /api/v1/jobs/create",
		body: `{"title": "Like my Tweet", "price": 0.03, "country": "INT", "availseats": 100, "time": 3, "category": 114,
			"automated": 1, "expected": ["` + tweet + `"], "proof": [{"desc": "like_tweet", "type": "like_tweet"}],
			"send_tweet": 1}`,
		answer: createdSample, want: created},
	{name: "create a job that gets followers",
		call: create(automatedJob("Like my Tweet", 112, tweet, "tweeter_followers")), line: "POST /api/v1/jobs/create",
		body: `{"title": "Like my Tweet", "price": 0.03, "country": "INT", "availseats": 100, "time": 3, "category": 112,
			"automated": 1, "expected": ["` + tweet + `"],
			"proof": [{"desc": "tweeter_followers", "type": "tweeter_followers"}], "send_tweet": 1}`,
		answer: createdSample, want: created},
	{name: "update a job",
		call: done(func(ctx context.Context, c *api.Client) error {
			job := newJob()
			return c.UpdateJob(ctx, 15357, api.JobChange{Title: &job.Title, Minutes: ptr(1), Limit: job.Limit,
				Steps: job.Steps, Proof: job.Proof})
		}),
		line: "POST /api/v1/job/15357/update",
		body: `{"title": "Follow me on somewhere", "time": 1, "expected": ["Do this", "And do this", "Then do this"],
			"job_limit": {"limit": 10, "duration": "hourly"},
			"proof": [{"desc": "Screenshot of your profile at ACME website", "type": "image"},
				{"desc": "Your username", "type": "text"}]}`,
		answer: `{"result": "ok", "job_id": 15357}`},
	{name: "add seats", call: func(ctx context.Context, c *api.Client) (any, error) { return c.AddSeats(ctx, 15341, 10) },
		line: "POST /api/v1/job/15341/add_seat", body: `{"seat_count": 10}`,
		answer: `{"result": "ok", "cost": 2.35, "job_id": 15341}`, want: api.Receipt{JobID: 15341, Cost: 2_350_000},
		json: `{"result": "ok", "cost": 2.35, "job_id": 15341}`},
	{name: "pause a job", call: done(func(ctx context.Context, c *api.Client) error { return c.PauseJob(ctx, 15341) }),
		line: "POST /api/v1/job/15341/pause", answer: jobDoneSample},
	{name: "resume a job",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.ResumeJob(ctx, 15341, api.ResumeRequest{Seats: 10, SendTweet: true, HideSearchEngines: true})
		},
		line: "POST /api/v1/job/15341/resume", body: `{"seat_count": 10, "send_tweet": 1, "hide_search_engines": 1}`,
		answer: `{"result": "ok", "cost": 2.85, "job_id": 15341}`, want: api.Receipt{JobID: 15341, Cost: 2_850_000}},
	{name: "restart a job", call: done(func(ctx context.Context, c *api.Client) error { return c.RestartJob(ctx, 15341) }),
		line: "POST /api/v1/job/15341/restart", answer: jobDoneSample},
	{name: "rate an application",
		call: done(func(ctx context.Context, c *api.Client) error {
			return c.Rate(ctx, 501141, api.Rating{Status: api.NotCompleted,
				Reason: "The job was not done properly. Please correct the deficiencies and try again."})
		}),
		line: "POST /api/v1/application/501141/set",
		body: `{"status": 5,
			"reason": "The job was not done properly. Please correct the deficiencies and try again."}`,
		answer: "{\n\"result\": \"ok\",\n\"app_id\": 501141,\n}"},
	{name: "approve an application",
		call: done(func(ctx context.Context, c *api.Client) error {
			return c.Rate(ctx, 501141, api.Rating{Status: api.Approved})
		}),
		line: "POST /api/v1/application/501141/set", body: `{"status": 3}`, answer: `{"result": "ok", "app_id": "501141"}`},
}

const applicationsSample = `[{"id": 501143, "jobid": 15356, "user_id": 12333, "owner_id": 6,
	"email": "worker@workermailaddress.com", "proof": "In aliquid quis vel cupiditate.", "status": 4,
	"showcause": null, "screenshot": null, "appdate": 1643857018, "screenshot_url": null},
	{"id": 501142, "jobid": 15356, "user_id": 12335, "owner_id": 6, "email": "worker2@workermailaddress2.com",
	"proof": "Iusto consequatur dolorem facilis aspernatur ut.", "status": 4, "showcause": null,
	"screenshot": null, "appdate": 1643857018, "screenshot_url": null}]`

func readApplication(ctx context.Context, c *api.Client) (any, error) {
	return c.Application(ctx, 501141)
}

var applicationSamples = []sample{
	{name: "applications of a job",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.Applications(ctx, 15356, api.Pending, 1)
		},
		line: "GET /api/v1/job/15356/applications/4/1", answer: applicationsSample, json: applicationsSample,
		want: []api.Application{
			{ID: 501143, JobID: 15356, UserID: 12333, OwnerID: 6, Email: "worker@workermailaddress.com",
				Proof: "In aliquid quis vel cupiditate.", Status: api.Pending, AppliedAt: unix(1643857018)},
			{ID: 501142, JobID: 15356, UserID: 12335, OwnerID: 6, Email: "worker2@workermailaddress2.com",
				Proof: "Iusto consequatur dolorem facilis aspernatur ut.", Status: api.Pending, AppliedAt: unix(1643857018)},
		}},
	{name: "applications of every status",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.Applications(ctx, 15356, api.AnyStatus, 2)
		},
		line: "GET /api/v1/job/15356/applications/all/2", answer: `{"data": []}`, want: []api.Application{}},
	{name: "an application", call: readApplication, line: "GET /api/v1/application/501141",
		answer: `{"id": 501141, "jobid": 15356, "user_id": 12332, "owner_id": 3123311, "email": "worker@emailaddress2.com",
			"proof": "Illum fuga vel et molestiae.", "status": 1, "showcause": "no",
			"screenshot": "[\"590555_0.jpg\",\"590555_1.jpg\"]", "appdate": 1643857018, "affect_success_rate": 0,
			"screenshot_url": ["https://www.hiretalents.com/proof_uploads/590555_0.jpg",
				"https://www.hiretalents.com/proof_uploads/590555_1.jpg"]}`,
		want: api.Application{ID: 501141, JobID: 15356, UserID: 12332, OwnerID: 3123311, Email: "worker@emailaddress2.com",
			Proof: "Illum fuga vel et molestiae.", Status: api.Declined, Reason: "no", AppliedAt: unix(1643857018),
			Screenshots: []string{"590555_0.jpg", "590555_1.jpg"},
			ScreenshotURLs: []string{"https://www.hiretalents.com/proof_uploads/590555_0.jpg",
				"https://www.hiretalents.com/proof_uploads/590555_1.jpg"}},
		json: `{"id": 501141, "jobid": 15356, "user_id": 12332, "owner_id": 3123311, "email": "worker@emailaddress2.com",
			"proof": "Illum fuga vel et molestiae.", "status": 1, "showcause": "no",
			"screenshot": ["590555_0.jpg", "590555_1.jpg"], "appdate": 1643857018, "affect_success_rate": 0,
			"screenshot_url": ["https://www.hiretalents.com/proof_uploads/590555_0.jpg",
				"https://www.hiretalents.com/proof_uploads/590555_1.jpg"]}`},
	{name: "an application as the other types", call: readApplication, line: "GET /api/v1/application/501141",
		answer: `{"id": "501141", "jobid": "15356", "status": "3", "screenshot": ["a.jpg"], "screenshot_url": "https://x/a.jpg",
			"proof": ["one", 2], "affect_success_rate": "1", "appdate": "1643857018"}`,
		want: api.Application{ID: 501141, JobID: 15356, Status: api.Approved, Screenshots: []string{"a.jpg"},
			ScreenshotURLs: []string{"https://x/a.jpg"}, Proof: `["one",2]`, AffectSuccessRate: true, AppliedAt: unix(1643857018)},
		json: `{"id": 501141, "jobid": 15356, "status": 3, "screenshot": ["a.jpg"], "screenshot_url": ["https://x/a.jpg"],
			"proof": "[\"one\",2]", "affect_success_rate": 1, "appdate": 1643857018}`},
}
