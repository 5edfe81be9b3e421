package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

type appRow struct {
	ID, UserID, Appdate int64
	Status              int
	Proof               string
	ScreenshotURL       []string `json:"screenshot_url"`
}

func (a *appRow) UnmarshalJSON(b []byte) error {
	type plain appRow
	v := struct {
		*plain
		UserID int64 `json:"user_id"`
	}{plain: (*plain)(a)}
	err := json.Unmarshal(b, &v)
	a.UserID = v.UserID
	return err
}

// apps reads all pages of a job's applications.
func (r *rig) apps(job int64, status string) []appRow {
	r.t.Helper()
	var all []appRow
	for page := 1; ; page++ {
		var rows []appRow
		r.must(json.Unmarshal([]byte(r.get(fmt.Sprintf("/job/%d/applications/%s/%d", job, status, page))), &rows))
		if len(rows) == 0 {
			return all
		}
		all = append(all, rows...)
	}
}

func TestSeatsFillInAboutTwoDaysAndFasterAtFirst(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now, Seed: 5})
	id := r.job(sandbox.Job{Seats: 200})
	var taken []int64
	for range 16 {
		clock.advance(6 * time.Hour)
		r.Tick()
		j, _ := r.Job(id)
		taken = append(taken, j.Taken)
	}
	if taken[0] < 50 || taken[0] < taken[1]-taken[0] {
		t.Errorf("after each 6 hours %v seats were taken; want most at first", taken)
	}
	if taken[15] != 200 || taken[2] == 200 {
		t.Errorf("after each 6 hours %v seats were taken; want 200 in about two days", taken)
	}
	for i, a := range r.apps(id, "all") {
		if i > 0 && a.Appdate < epoch.Unix() {
			t.Errorf("application %d is dated %d, before its job", a.ID, a.Appdate)
		}
	}
}

func TestProofsAreOfAllKinds(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}, PageSize: 500})
	id := r.job(sandbox.Job{Seats: 400, Proof: []sandbox.Proof{{Desc: "a picture", Type: "image"}}})
	_, err := r.AddApplications(id, 400)
	r.must(err)
	texts := map[string]int{}
	bare := 0
	for _, a := range r.apps(id, "4") {
		texts[a.Proof]++
		if len(a.ScreenshotURL) == 0 {
			bare++
		}
	}
	if texts[""] < 10 || texts["done"] < 3 || len(texts) < 250 || bare < 20 || bare > 100 {
		t.Errorf("%d blank, %d done, %d different, %d without a picture", texts[""], texts["done"], len(texts), bare)
	}
}

func TestAWorkerAppliesOnceUntilARestart(t *testing.T) {
	t.Parallel()
	for name, team := range map[string]int64{"anyone": 0, "a team": 1234} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
			r.post("/teams/create", `{"title": "raters"}`)
			for user := range 3 {
				r.post("/teams/add_member", fmt.Sprintf(`{"team_id": 1234, "user_id": %d, "note": "n"}`, user+1))
			}
			id := r.job(sandbox.Job{Seats: 10, TeamID: team})
			_, err := r.AddApplications(id, 3)
			r.must(err)
			r.post(fmt.Sprintf("/job/%d/restart", id), "")
			_, err = r.AddApplications(id, 3)
			r.must(err)
			seen := map[int64]int{}
			for _, a := range r.apps(id, "all") {
				seen[a.UserID]++
			}
			if len(seen) != 3 {
				t.Errorf("in two rounds of 3 seats came %v, want 3 workers twice", seen)
			}
			_, err = r.AddApplications(id, 1)
			if (err == nil) != (team == 0) {
				t.Errorf("a fourth worker of the round: %v", err)
			}
		})
	}
}

func TestANewMemberMayApply(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now})
	r.post("/teams/create", `{"title": "raters"}`)
	id := r.job(sandbox.Job{TeamID: 1234})
	clock.advance(24 * time.Hour)
	r.post("/teams/add_member", `{"team_id": 1234, "user_id": 77, "note": "n"}`)
	clock.advance(24 * time.Hour)
	if apps := r.apps(id, "all"); len(apps) != 1 || apps[0].UserID != 77 {
		t.Errorf("the applications are %+v, want one of worker 77", apps)
	}
}

func TestJobLimitIsHonoured(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now, Crowd: sandbox.Crowd{FillIn: time.Hour}})
	id := r.job(sandbox.Job{Seats: 100, Limit: sandbox.Limit{Count: 10, Period: 24 * time.Hour}})
	clock.advance(23 * time.Hour)
	if got := r.get(fmt.Sprintf("/job/%d", id)); !strings.Contains(got, `"total_app":10,`) ||
		!strings.Contains(got, `"hourseats":10,"hourlock":1,"limitfreqseconds":86400`) {
		t.Errorf("after 23 hours the job is %s", got)
	}
	clock.advance(24 * time.Hour)
	if j, _ := r.Job(id); j.Taken < 11 || j.Taken > 20 {
		t.Errorf("after 47 hours %d seats are taken, want 11 to 20", j.Taken)
	}
}

func TestModerationKeepsJobsWaiting(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]bool{"shown": false, "hidden": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clock manualClock
			r := setup(t, sandbox.Config{Now: clock.now, Moderation: 10 * time.Minute,
				Habits: sandbox.Habits{HideWaiting: hidden}})
			r.post("/jobs/create", sampleCreate)
			if got := r.get("/job/15341"); !strings.Contains(got, `"started":0,"status":0,`) {
				t.Errorf("a new job is %s", got)
			}
			if got := r.get("/jobs/all/1"); (got == "[]") != hidden {
				t.Errorf("the list of all jobs is %s", got)
			}
			clock.advance(10 * time.Minute)
			if got := r.get("/jobs/1/1"); !strings.Contains(got, `"status":1,`) {
				t.Errorf("after moderation the online jobs are %s", got)
			}
		})
	}
}

func TestNotCompletedWorkComesAgain(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now})
	id := r.job(sandbox.Job{Seats: 1})
	ids, err := r.AddApplications(id, 1)
	r.must(err)
	before := r.apps(id, "4")[0]
	path := fmt.Sprintf("/application/%d/set", ids[0])
	r.post(path, `{"status": 5, "reason": "Please type the signs."}`)
	if apps := r.apps(id, "5"); len(apps) != 1 {
		t.Errorf("the not completed applications are %+v", apps)
	}
	clock.advance(4 * time.Hour)
	again := r.apps(id, "4")
	if len(again) != 1 || again[0].Proof == before.Proof || again[0].Appdate <= before.Appdate {
		t.Errorf("handed in again is %+v, before it was %+v", again, before)
	}
	r.post(path, `{"status": 3}`)
	r.post(path, `{"status": 3}`)
	effects := r.Books().Jobs[0].Effects
	if last := effects[len(effects)-1]; !last.Repeated || last.Status != sandbox.AppApproved {
		t.Errorf("a second approval is in the books as %+v", last)
	}
}

func TestDeclinesMayFreeTheSeat(t *testing.T) {
	t.Parallel()
	for name, frees := range map[string]bool{"kept": false, "freed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{DeclineFreesSeat: frees, Crowd: sandbox.Crowd{Off: true}})
			id := r.job(sandbox.Job{Seats: 2})
			ids, err := r.AddApplications(id, 1)
			r.must(err)
			r.post(fmt.Sprintf("/application/%d/set", ids[0]), `{"status": 1, "reason": "no"}`)
			_, err = r.AddApplications(id, 2)
			if (err == nil) != frees {
				t.Errorf("two more workers: %v", err)
			}
		})
	}
}

func TestRestartScheduleIsFollowed(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now, Crowd: sandbox.Crowd{Off: true}})
	id := r.job(sandbox.Job{})
	path := fmt.Sprintf("/job/%d/update", id)
	r.post(path, `{"restart_schedule": 3600}`)
	clock.advance(150 * time.Minute)
	if n := r.Books().Jobs[0].Count("restart"); n != 2 {
		t.Errorf("%d restarts in 2.5 hours, want 2", n)
	}
	r.post(path, `{"restart_schedule": "-1"}`)
	clock.advance(24 * time.Hour)
	if n := r.Books().Jobs[0].Count("restart"); n != 2 {
		t.Errorf("%d restarts after the schedule was disabled, want 2", n)
	}
}
