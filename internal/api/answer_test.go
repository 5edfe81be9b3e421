package api_test

import (
	"net/http"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/google/go-cmp/cmp"
)

func TestAQuoteTellsOfAJobThatWasMade(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		quote  api.Quote
		reason api.Reason
	}{
		`{"cost":"4.875"}`:                             {api.Quote{Cost: 4_875_000}, ""},
		`[{"result":"ok","cost":4.875}]`:               {api.Quote{Cost: 4_875_000}, ""},
		`{"result":"ok","cost":4.875,"job_id":null}`:   {api.Quote{Cost: 4_875_000}, ""},
		`{"result":"ok","cost":4.875,"job_id":0}`:      {api.Quote{Cost: 4_875_000}, ""},
		`{"result":"ok","cost":4.875,"job_id":false}`:  {api.Quote{Cost: 4_875_000}, ""},
		`{"result":"ok","cost":4.875,"job_id":15357}`:  {api.Quote{Cost: 4_875_000, JobID: 15357}, ""},
		`{"result":"ok","job_id":"15357"}`:             {api.Quote{JobID: 15357}, api.ReasonUnreadable},
		`{"result":"error","cost":1,"job_id":"15357"}`: {api.Quote{Cost: 1_000_000, JobID: 15357}, api.ReasonFailed},
		`{"result":"ok","cost":-1}`:                    {api.Quote{}, api.ReasonUnreadable},
		`{"result":"ok","cost":1,"job_id":"new"}`:      {api.Quote{}, api.ReasonUnreadable},
		`{"result":"ok"}`:                              {api.Quote{}, api.ReasonUnreadable},
		`4.875`:                                        {api.Quote{}, api.ReasonUnreadable},
	} {
		m := answer(t, http.StatusOK, body)
		quote, err := client(t, api.Config{BaseURL: m.URL}).Quote(t.Context(), newJob())
		if quote != want.quote || api.ReasonOf(err) != want.reason || err != nil && api.EffectOf(err) != api.EffectUnknown {
			t.Errorf("%s: %+v, error %v", body, quote, err)
		}
	}
}

func TestAnAnswerAboutAnotherThingIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ call, body string }{
		"a job":                      {"Job", jobSample},
		"an application":             {"Application", `{"id":2,"jobid":1,"status":4}`},
		"an application's other job": {"Applications", `[{"id":1,"jobid":2,"status":4}]`},
		"a team":                     {"UpdateTeam", teamSample},
		"seats":                      {"AddSeats", `{"result":"ok","cost":2.35,"job_id":2}`},
		"a pause":                    {"PauseJob", `{"result":"ok","job_id":2}`},
		"a rating":                   {"Rate", `{"result":"ok","app_id":2}`},
		"an update":                  {"UpdateJob", `{"result":"ok","job_id":"x"}`},
		"no account":                 {"Me", `{"id":0,"current_balance":1}`},
	} {
		m := answer(t, http.StatusOK, row.body)
		err := calls[row.call](t.Context(), client(t, api.Config{BaseURL: m.URL}))
		if api.EffectOf(err) != api.EffectUnknown || api.ReasonOf(err) != api.ReasonUnreadable {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestADoneThatNamesNoIDIsBelieved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PauseJob", "RestartJob", "UpdateJob", "Rate", "DeleteTeam", "AddTeamMember", "DeleteTeamMember"} {
		for _, body := range []string{`{"result":"ok"}`, `{"ok":1}`, `[{"ok":"1"}]`} {
			m := answer(t, http.StatusOK, body)
			if err := calls[name](t.Context(), client(t, api.Config{BaseURL: m.URL})); err != nil {
				t.Errorf("%s answered %s: %v", name, body, err)
			}
		}
	}
}

func TestTheIteratorsReadPages(t *testing.T) {
	t.Parallel()
	m := serve(t, func(w http.ResponseWriter, r *http.Request) {
		pages := map[string]string{
			"/jobs/1/1":                 `[{"id":1,"total_app":0,"availseats":1,"price":1,"status":1}]`,
			"/job/7/applications/4/1":   `[{"id":1,"jobid":7,"status":4},{"id":2,"jobid":7,"status":4}]`,
			"/job/7/applications/4/2":   `[{"id":2,"jobid":7,"status":4},{"id":3,"jobid":7,"status":4}]`,
			"/job/7/applications/all/1": `[{"id":1,"jobid":7,"status":3}]`,
		}
		if body, ok := pages[r.URL.Path]; ok {
			_, _ = w.Write([]byte(body))
			return
		}
		_, _ = w.Write([]byte(`[]`))
	})
	c := client(t, api.Config{BaseURL: m.URL})
	var got []int64
	for job, err := range c.AllJobs(t.Context(), api.JobsOnline) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, job.ID)
	}
	for _, status := range []api.ApplicationStatus{api.Pending, api.AnyStatus} {
		for a, err := range c.AllApplications(t.Context(), 7, status) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, 100*int64(a.Status)+a.ID)
		}
	}
	if diff := cmp.Diff([]int64{1, 401, 402, 403, 301}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
