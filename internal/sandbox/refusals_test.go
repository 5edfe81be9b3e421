package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestRefusalsSayWhyAndDoNothing(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Key: "key", Balance: 10 * money.Dollar, Crowd: sandbox.Crowd{Off: true}})
	online := r.job(sandbox.Job{Seats: 2})
	finished := r.job(sandbox.Job{Seats: 2})
	r.must(r.FinishJob(finished))
	apps, err := r.AddApplications(online, 1)
	r.must(err)
	r.must(r.RateApplication(apps[0], sandbox.AppApproved, ""))
	before := r.Books()

	create := func(old, new string) string { return strings.Replace(sampleCreate, old, new, 1) }
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"nothing sent": {"POST", "/jobs/create", "", 422,
			`{"message":"The title field is required. (and 7 more errors)","errors":{"title":["The title field is required."]`},
		"price below the minimum": {"POST", "/jobs/create", create(`"0.03"`, `"0.019"`), 422,
			`"errors":{"price":["The price must be at least 0.02."]}`},
		"price with too many digits":          {"POST", "/jobs/create", create(`"0.03"`, `"0.0300001"`), 422, `"price":[`},
		"unknown category":                    {"POST", "/jobs/create", create(`"13"`, `"14"`), 422, `"category":[`},
		"unknown country":                     {"POST", "/jobs/create", create(`"INT"`, `[1269750, 1]`), 422, `"country":[`},
		"country 0 without a team":            {"POST", "/jobs/create", create(`"INT"`, `0`), 422, `"country":[`},
		"team with a country":                 {"POST", "/jobs/create", create(`"send_tweet"`, `"team_id":1234,"send_tweet"`), 422, `"team_id":[`},
		"unknown proof type":                  {"POST", "/jobs/create", create(`"image"`, `"video"`), 422, `"proof.0.type":[`},
		"half a limit":                        {"POST", "/jobs/create", create(`"hourly_limit": 10`, `"job_limit":{"limit":3}`), 422, `"job_limit.duration":[`},
		"too little money":                    {"POST", "/jobs/create", create(`"100"`, `"1000"`), 422, `{"message":"Insufficient balance"}`},
		"no seats":                            {"POST", fmt.Sprintf("/job/%d/add_seat", online), `{}`, 422, `"seat_count":[`},
		"seats for a finished job":            {"POST", fmt.Sprintf("/job/%d/add_seat", finished), `{"seat_count": 1}`, 422, "finished"},
		"resuming an online job":              {"POST", fmt.Sprintf("/job/%d/resume", online), `{"seat_count": 1}`, 422, "Only finished"},
		"unknown job":                         {"POST", "/job/1/pause", "", 404, `{"message":"Job not found"}`},
		"a decline without a reason":          {"POST", fmt.Sprintf("/application/%d/set", apps[0]), `{"status": 1}`, 422, `"reason":[`},
		"an unknown verdict":                  {"POST", fmt.Sprintf("/application/%d/set", apps[0]), `{"status": 4, "reason": "x"}`, 422, `"status":[`},
		"a decline of what is paid":           {"POST", fmt.Sprintf("/application/%d/set", apps[0]), `{"status": 1, "reason": "x"}`, 422, "approved already"},
		"unknown application":                 {"GET", "/application/1", "", 404, `{"message":"Application not found"}`},
		"an update of a team without a title": {"POST", "/teams/update", `{"id": 1234}`, 422, `"title":[`},
		"a list that is not offered":          {"GET", "/jobs/2/1", "", 422, `"status":[`},
		"the wrong method":                    {"GET", "/jobs/create", "", 405, "Supported methods: POST"},
		"an unknown route":                    {"GET", "/nowhere", "", 404, "could not be found"},
		"a restart schedule too short": {"POST", fmt.Sprintf("/job/%d/update", online),
			`{"restart_schedule": 59}`, 422, `"restart_schedule":[`},
	} {
		got := r.call(c.method, c.path, c.body)
		if got.status != c.status || !strings.Contains(got.body, c.want) {
			t.Errorf("%s: status %d %s, want %d %s", name, got.status, got.body, c.status, c.want)
		}
	}
	after := r.balanced()
	if after.Balance != before.Balance || len(after.Jobs) != len(before.Jobs) {
		t.Errorf("refused requests changed the books: balance %s, want %s", after.Balance, before.Balance)
	}
}

func TestOnlyTheRightKeyIsServed(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Key: "other"})
	got := r.call("GET", "/me", "")
	if got.status != 401 || got.body != `{"message":"Unauthenticated."}` {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

func TestRateLimitCountsByWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		date bool
		want string
	}{
		"in seconds": {false, "1"},
		"as a date":  {true, epoch.Add(time.Second).Format("Mon, 02 Jan 2006 15:04:05 GMT")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var wall manualClock
			r := setup(t, sandbox.Config{RateLimit: 2, Wall: wall.now, RetryDate: c.date})
			r.get("/me")
			r.get("/me")
			got := r.call("GET", "/me", "")
			if got.status != 429 || got.header.Get("Retry-After") != c.want {
				t.Errorf("status %d, Retry-After %q, want 429 and %q", got.status, got.header.Get("Retry-After"), c.want)
			}
			wall.advance(time.Second)
			r.get("/me")
			if n := r.Traffic().Answered["me"][429]; n != 1 {
				t.Errorf("%d answers 429 were counted, want 1", n)
			}
		})
	}
}
