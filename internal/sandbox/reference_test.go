package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// The samples of the reference. What is no JSON there (a comment inside a
// value, an ellipsis, a list with keys, a trailing comma) is mended.
const (
	sampleMe = `{"id": 1, "fullname": "Your Name", "email": "your@email", "gender": 1, "lang": "en",
		"birthdate": null, "country": "1", "address1": "a", "address2": "b", "city": "1", "zip": null,
		"state": "1", "candoadultjobs": 0, "active": 1, "current_balance": 100.000000, "referrer": 0,
		"submittask": 0, "phone_number": null, "callback_url": null}`
	sampleJob = `{"id": 15341, "title": "Hello my friend", "total_app": 0, "availseats": 24, "time": 5,
		"category": 97, "price": 0.2, "country": "0", "expected": ["Do this Job"],
		"proof": [{"desc": "Type Username", "type": "text"}], "image": null, "started": 1647741550,
		"status": 1, "type": 0, "send_tweet": 0, "hourseats": 0, "hourlock": 0, "limitfreqseconds": 0,
		"dec_reason": "", "rep_reason": "", "slug": "test-x1apm3",
		"created_at": "2022-03-18T00:34:05.000000Z", "updated_at": "2022-03-20T01:59:10.000000Z"}`
	sampleJobRow = `{"id": 15356, "title": "Test Job", "total_app": 0, "availseats": 100, "time": 1,
		"category": 13, "price": 0.03, "country": "INT", "expected": ["Do this", "And Do This"],
		"proof": [{"desc": "Screenshot", "type": "image"}, {"desc": "Send your ip", "type": "text"}],
		"image": null, "started": 0, "status": 1, "send_tweet": 1, "hourseats": 0, "hourlock": 0,
		"limitfreqseconds": 0, "dec_reason": null, "rep_reason": null,
		"created_at": "2022-03-19T09:38:50.000000Z", "updated_at": "2022-03-19T09:38:50.000000Z",
		"url": "https://www.hiretalents.com/job/test-job-6xwyfl", "hide_search_engines": 1}`
	sampleCountry  = `{"country_id": "1269750", "name": "India", "code": "IN", "continent": "AS", "nameTranslated": "India"}`
	sampleCategory = `{"id": 9, "title": "Blog / Website owners", "cost": 0.1, "slug": "blog-website-owners",
		"text": "", "parent": 0, "subcat": [{"id": 47, "title": "Banner And Text Link to Website", "cost": 0.8,
		"slug": "blog-website-owners/banner-and-text-link-to-website", "text": "", "parent": 9, "subcat": []},
		{"id": 45, "title": "Text Link to Website And Review Up to 50 Words", "cost": 0.3,
		"slug": "blog-website-owners/text-link-to-website-and-review-up-to-50-words", "text": "",
		"parent": 9, "subcat": []}]}`
	sampleTeamRow = `{"id": 1234, "user_id": 1234567, "title": "Test Team",
		"created_at": "2022-07-04T11:42:31.000000Z", "updated_at": "2022-07-04T11:42:31.000000Z"}`
	sampleTeam = `{"title": "Test Title", "user_id": 123456, "updated_at": "2022-07-10T00:04:53.000000Z",
		"created_at": "2022-07-10T00:04:53.000000Z", "id": 1234}`
	sampleMember = `{"id": 17, "owner_id": 123456789, "worker_id": 153456789, "team_id": 1234,
		"note": "Social Media Expert", "created_at": "2022-07-04T11:42:31.000000Z",
		"updated_at": "2022-07-04T11:42:31.000000Z"}`
	sampleAppRow = `{"id": 501143, "jobid": 15356, "user_id": 12333, "owner_id": 6,
		"email": "worker@workermailaddress.com", "proof": "In aliquid quis vel cupiditate.", "status": 4,
		"showcause": null, "screenshot": null, "appdate": 1643857018, "screenshot_url": null}`
	sampleApp = `{"id": 501141, "jobid": 15356, "user_id": 12332, "owner_id": 3123311,
		"email": "worker@emailaddress2.com", "proof": "Illum fuga vel et molestiae.", "status": 1,
		"showcause": "no", "screenshot": "[\"590555_0.jpg\",\"590555_1.jpg\"]", "appdate": 1643857018,
		"affect_success_rate": 0, "screenshot_url": ["https://www.hiretalents.com/proof_uploads/590555_0.jpg",
		"https://www.hiretalents.com/proof_uploads/590555_1.jpg"]}`
)

func TestAnswersHaveTheShapeOfTheSamples(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
	rows := func(sample string, n int) string {
		return "[" + strings.Repeat(sample+",", n-1) + sample + "]"
	}
	single := r.job(sandbox.Job{Title: "Hello my friend", Price: money.MustParse("0.2"), Seats: 24, Category: 97})
	team := r.post("/teams/create", `{"title": "Test Title"}`)
	for _, user := range []int{1234567, 153456789} {
		// The sample's own trailing comma is sent too.
		added := r.post("/teams/add_member",
			fmt.Sprintf(`{"team_id": 1234, "user_id": %d, "note": "Social Media Worker",}`, user))
		if added != `{"ok":1}` {
			t.Errorf("add_member answers %s", added)
		}
	}
	created := r.post("/jobs/create", sampleCreate)
	plain, err := r.AddApplication(15342, sandbox.Handed{Text: "In aliquid quis vel cupiditate."})
	r.must(err)
	shot, err := r.AddApplication(15342, sandbox.Handed{Text: "x", Screenshots: []string{"a.jpg", "b.jpg"}})
	r.must(err)
	r.must(r.RateApplication(shot, sandbox.AppDeclined, "no"))

	for name, c := range map[string]struct{ got, sample string }{
		"me":            {r.get("/me"), sampleMe},
		"job":           {r.get(fmt.Sprintf("/job/%d", single)), sampleJob},
		"jobs":          {r.get("/jobs/all/1"), "[" + sampleJobRow + "," + oneProof(sampleJobRow) + "]"},
		"team created":  {team, sampleTeam},
		"team updated":  {r.post("/teams/update", `{"title": "New Title", "id": 1234,}`), sampleTeam},
		"teams":         {r.get("/teams"), rows(sampleTeamRow, 1)},
		"members":       {r.post("/teams/members", `{"team_id": 1234}`), rows(sampleMember, 2)},
		"applications":  {r.get("/job/15342/applications/4/1"), rows(sampleAppRow, 1)},
		"application":   {r.get(fmt.Sprintf("/application/%d", shot)), sampleApp},
		"create":        {created, `{"result": "ok", "cost": 4.875, "job_id": 15357}`},
		"update":        {r.post("/job/15342/update", sampleCreate), `{"result": "ok", "job_id": 15357}`},
		"restart":       {r.post("/job/15342/restart", ""), `{"result": "ok", "job_id": 15341}`},
		"rate":          {r.post(fmt.Sprintf("/application/%d/set", plain), `{"status" : 5, "reason": "Again."}`), `{"result": "ok", "app_id": 501141}`},
		"delete member": {r.post("/teams/delete_member", `{"team_id": 1234, "user_id": 1234567}`), `[{"ok": 1}]`},
	} {
		if diff := cmp.Diff(shape(t, c.sample), shapeWithSteps(t, c.got)); diff != "" {
			t.Errorf("%s (-sample +got):\n%s", name, diff)
		}
	}
	if got := r.post("/teams/delete", `{"id": 1234}`); got != `{"ok":1}` {
		t.Errorf("deleting a team answers %s", got)
	}
	if got := r.get("/teams"); strings.Contains(got, `"id":1234,`) {
		t.Errorf("the team is still there: %s", got)
	}
}

// oneProof is a row with one proof and one step instead of two.
func oneProof(row string) string {
	row = strings.Replace(row, `{"desc": "Screenshot", "type": "image"}, `, "", 1)
	return strings.Replace(row, `"Do this", `, "", 1)
}

// shapeWithSteps evens out that the created job has a step more than the sample.
func shapeWithSteps(t *testing.T, got string) string {
	return shape(t, strings.Replace(got, `"Do this","And do this","Then do this"`, `"Do this","Then do this"`, 1))
}

func TestListsOfTheReferenceAreOffered(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	var countries []json.RawMessage
	r.must(json.Unmarshal([]byte(r.get("/countries")), &countries))
	if got, want := string(countries[0]), compact(t, sampleCountry); got != want {
		t.Errorf("the first country is %s, want %s", got, want)
	}
	var categories map[string]json.RawMessage
	r.must(json.Unmarshal([]byte(r.get("/categories")), &categories))
	if got, want := string(categories["1"]), compact(t, sampleCategory); got != want {
		t.Errorf("the first category is %s, want %s", got, want)
	}
	all := r.get("/categories")
	for _, slug := range []string{"surveys/labelling", "surveys/questionnaires", "testing/usability", "data/transcription"} {
		if !strings.Contains(all, `"slug":"`+slug+`"`) {
			t.Errorf("there is no category %s", slug)
		}
	}
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var fields []string
	for _, line := range strings.Split(text, "\n") {
		fields = append(fields, strings.TrimSpace(line))
	}
	text = strings.Join(fields, "")
	return strings.NewReplacer(`": `, `":`, `, "`, `,"`).Replace(text)
}

func TestAutomatedSamplesAreAccepted(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
	for category, word := range map[string]string{"13": "send_tweet", "114": "like_tweet", "112": "tweeter_followers"} {
		got := r.post("/jobs/create", `{"title": "Like my Tweet", "price": "0.03", "country": "INT",
			"availseats": "100", "time": "3", "category": "`+category+`", "automated": "1",
			"expected": ["https://twitter.com/hiretalentscom/status/1521806850173374467"],
			"proof": [{"desc": "`+word+`", "type": "`+word+`"}], "send_tweet": 1}`)
		if !strings.Contains(got, `"cost":4.875`) {
			t.Errorf("%s: %s", word, got)
		}
	}
	ids, err := r.AddApplications(15341, 1)
	r.must(err)
	if got := r.get(fmt.Sprintf("/application/%d", ids[0])); !strings.Contains(got, `"status":3,`) {
		t.Errorf("an automated job's application is not approved by itself: %s", got)
	}
}

func TestHabitsChangeTheAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		habits sandbox.Habits
		path   string
		want   string
	}{
		"numbers as strings":  {sandbox.Habits{NumbersAsStrings: true}, "/job/15341", `"price":"0.05"`},
		"null as empty":       {sandbox.Habits{NullAsEmpty: true}, "/job/15341", `"image":""`},
		"lists are wrapped":   {sandbox.Habits{WrapLists: true}, "/jobs/all/1", `{"data":[{"id":15341`},
		"categories in array": {sandbox.Habits{CategoriesAsArray: true}, "/categories", `[{"id":9`},
		"trailing commas":     {sandbox.Habits{TrailingCommas: true}, "/job/15341", `000000Z",}`},
		"total seats":         {sandbox.Habits{}, "/job/15341", `"availseats":100`},
		"remaining seats":     {sandbox.Habits{Seats: sandbox.SeatsRemaining}, "/job/15341", `"availseats":97`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{Habits: c.habits, Crowd: sandbox.Crowd{Off: true}})
			id := r.job(sandbox.Job{})
			_, err := r.AddApplications(id, 3)
			r.must(err)
			if got := r.get(c.path); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want it to hold %s", got, c.want)
			}
		})
	}
}

func TestPagesEndEmpty(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order sandbox.Order
		want  []string
	}{
		"newest first": {sandbox.NewestFirst, []string{"15345 15344", "15343 15342", "15341", ""}},
		"oldest first": {sandbox.OldestFirst, []string{"15341 15342", "15343 15344", "15345", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{PageSize: 2, Order: c.order})
			for range 5 {
				r.job(sandbox.Job{})
			}
			for i, want := range c.want {
				var rows []struct{ ID int64 }
				r.must(json.Unmarshal([]byte(r.get(fmt.Sprintf("/jobs/1/%d", i+1))), &rows))
				var got []string
				for _, row := range rows {
					got = append(got, fmt.Sprint(row.ID))
				}
				if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
					t.Errorf("page %d (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}
