package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sample is one endpoint of the reference: the request it prints, modulo types,
// the answer it prints, and what is made of it.
type sample struct {
	name   string
	call   func(context.Context, *api.Client) (any, error)
	line   string
	body   string // "" for none
	answer string
	want   any
	json   string // as printed by MarshalJSON; "" for none
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func unix(n int64) time.Time { return time.Unix(n, 0).UTC() }

func TestSamplesOfTheReference(t *testing.T) {
	t.Parallel()
	groups := [][]sample{accountSamples, jobSamples, listSamples, teamSamples, changeSamples, applicationSamples}
	for _, group := range groups {
		for _, s := range group {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.run(t)
			})
		}
	}
}

func (s sample) run(t *testing.T) {
	m := answer(t, http.StatusOK, s.answer)
	got, err := s.call(t.Context(), client(t, api.Config{BaseURL: m.URL + "/api/v1"}))
	if err != nil {
		t.Fatal(err)
	}
	raw := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Raw" }, cmp.Ignore())
	if diff := cmp.Diff(s.want, got, raw, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	s.checkRequest(t, m.only(t))
	if s.json != "" {
		if diff := cmp.Diff(tree(t, s.json), tree(t, marshal(t, got))); diff != "" {
			t.Errorf("printed (-want +got):\n%s", diff)
		}
	}
}

func (s sample) checkRequest(t *testing.T, r request) {
	t.Helper()
	if want := s.line + " HTTP/1.1"; r.Line != want {
		t.Errorf("request line %q, want %q", r.Line, want)
	}
	want := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + secret},
		"User-Agent": {"campaign-runner"}, "Accept-Encoding": {"gzip"}}
	if s.body != "" {
		want.Set("Content-Type", "application/json")
		if diff := cmp.Diff(tree(t, s.body), tree(t, r.Body)); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
	} else if r.Body != "" {
		t.Errorf("a body was sent: %s", r.Body)
	}
	got := r.Headers.Clone()
	got.Del("Content-Length")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

var accountSamples = []sample{{
	name: "account",
	call: func(ctx context.Context, c *api.Client) (any, error) { return c.Me(ctx) },
	line: "GET /api/v1/me",
	answer: `{"id": 1, "fullname": "Your Name", "email": "your@email", "gender": 1, "lang": "en",
		"birthdate": null, "country": "298795", "address1": "Your Address 1", "address2": "Your Address 2",
		"city": "745044", "zip": null, "state": "745042", "candoadultjobs": 0, "active": 1,
		"current_balance": 100.000000, "referrer": 0, "submittask": 0, "phone_number": null, "callback_url": null}`,
	want: api.Account{ID: 1, FullName: "Your Name", Email: "your@email", Gender: 1, Lang: "en", Country: "298795",
		Address1: "Your Address 1", Address2: "Your Address 2", City: "745044", State: "745042", Active: true,
		Balance: 100 * money.Dollar},
	json: `{"id": 1, "fullname": "Your Name", "email": "your@email", "gender": 1, "lang": "en",
		"birthdate": null, "country": "298795", "address1": "Your Address 1", "address2": "Your Address 2",
		"city": "745044", "zip": null, "state": "745042", "candoadultjobs": 0, "active": 1,
		"current_balance": 100, "referrer": 0, "submittask": 0, "phone_number": null, "callback_url": null}`,
}, {
	name: "account, every number a string",
	call: func(ctx context.Context, c *api.Client) (any, error) { return c.Me(ctx) },
	line: "GET /api/v1/me",
	answer: `{"data": {"id": "1", "gender": "", "candoadultjobs": "0", "active": true, "current_balance": "100.000000",
		"submittask": "0", "callback_url": "https://example.com/cb", "loyalty": {"level": "2"}}}`,
	want: api.Account{ID: 1, Active: true, Balance: 100 * money.Dollar, CallbackURL: "https://example.com/cb"},
	json: `{"id": 1, "gender": null, "candoadultjobs": 0, "active": 1, "current_balance": 100,
		"submittask": 0, "callback_url": "https://example.com/cb", "loyalty": {"level": "2"}}`,
}}

const jobSample = `{"id": 15341, "title": "Hello my friend", "total_app": 0, "availseats": 24, "time": 5,
	"category": 97, "price": 0.2, "country": "0", "expected": ["Do this Job"],
	"proof": [{"desc": "Type Username", "type": "text"}], "image": null, "started": 1647741550, "status": 1,
	"type": 0, "send_tweet": 0, "hourseats": 0, "hourlock": 0, "limitfreqseconds": 0, "dec_reason": "",
	"rep_reason": "", "slug": "test-x1apm3", "created_at": "2022-03-18T00:34:05.000000Z",
	"updated_at": "2022-03-20T01:59:10.000000Z"}`

var sampleJob = api.Job{ID: 15341, Title: "Hello my friend", Seats: 24, Minutes: 5, Category: 97,
	Price: money.MustParse("0.2"), Country: "0", Steps: []string{"Do this Job"},
	Proof: []api.Proof{{Desc: "Type Username", Type: "text"}}, Started: unix(1647741550), Status: api.JobOnline,
	Slug: "test-x1apm3", CreatedAt: at("2022-03-18T00:34:05Z"), UpdatedAt: at("2022-03-20T01:59:10Z")}

const listedJobSample = `{"id": 15356, "title": "Test Job", "total_app": 0, "availseats": 100, "time": 1, "category": 13,
	"price": 0.03, "country": "INT", "expected": ["Do this", "And Do This"],
	"proof": [{"desc": "Screenshot of your profile at ACME website", "type": "image"},
		{"desc": "Send your ip", "type": "text"}],
	"image": null, "started": 0, "status": 1, "send_tweet": 1, "hourseats": 0, "hourlock": 0,
	"limitfreqseconds": 0, "dec_reason": null, "rep_reason": null, "created_at": "2022-03-19T09:38:50.000000Z",
	"updated_at": "2022-03-19T09:38:50.000000Z", "url": "https://www.hiretalents.com/job/test-job-6xwyfl",
	"hide_search_engines": 1}`

var listedJob = api.Job{ID: 15356, Title: "Test Job", Seats: 100, Minutes: 1, Category: 13,
	Price: money.MustParse("0.03"), Country: "INT", Steps: []string{"Do this", "And Do This"},
	Proof: []api.Proof{{Desc: "Screenshot of your profile at ACME website", Type: "image"},
		{Desc: "Send your ip", Type: "text"}},
	Status: api.JobOnline, SendTweet: true, CreatedAt: at("2022-03-19T09:38:50Z"),
	UpdatedAt: at("2022-03-19T09:38:50Z"), URL: "https://www.hiretalents.com/job/test-job-6xwyfl",
	HideSearchEngines: true}

func readJob(ctx context.Context, c *api.Client) (any, error) { return c.Job(ctx, 15341) }

func listJobs(ctx context.Context, c *api.Client) (any, error) { return c.Jobs(ctx, api.JobsAll, 1) }

var jobSamples = []sample{
	{name: "a job", call: readJob, line: "GET /api/v1/job/15341", answer: jobSample, want: sampleJob, json: jobSample},
	{name: "a job in an array", call: readJob, line: "GET /api/v1/job/15341", answer: jsonArray(jobSample),
		want: sampleJob, json: jobSample},
	{name: "a job as the other types", call: readJob, line: "GET /api/v1/job/15341",
		answer: `{"id": "15341", "title": 7, "total_app": "3", "availseats": "24.0", "price": "0.200000", "status": "3",
			"country": [1269750, "1282028"], "expected": "[\"One\",\"Two\"]",
			"proof": "[{\"desc\":\"Type Username\",\"type\":\"text\"}]", "started": "2022-03-20T01:59:10.000000Z",
			"send_tweet": true, "hourseats": "many", "created_at": 1647741550, "updated_at": "2022-03-20 01:59:10"}`,
		want: api.Job{ID: 15341, Title: "7", Applications: 3, Seats: 24, Price: money.MustParse("0.2"), Status: api.JobFinished,
			Country: "1269750,1282028", Steps: []string{"One", "Two"},
			Proof: []api.Proof{{Desc: "Type Username", Type: "text"}}, Started: at("2022-03-20T01:59:10Z"),
			SendTweet: true, CreatedAt: unix(1647741550), UpdatedAt: at("2022-03-20T01:59:10Z")},
		json: `{"id": 15341, "title": "7", "total_app": 3, "availseats": 24, "price": 0.2, "status": 3,
			"country": "1269750,1282028", "expected": ["One", "Two"],
			"proof": [{"desc": "Type Username", "type": "text"}], "started": 1647741550,
			"send_tweet": 1, "hourseats": "many", "created_at": "2022-03-20T01:59:10.000000Z",
			"updated_at": "2022-03-20T01:59:10.000000Z"}`},
	{name: "jobs", call: listJobs, line: "GET /api/v1/jobs/all/1", answer: jsonArray(listedJobSample),
		want: []api.Job{listedJob}, json: jsonArray(listedJobSample)},
	{name: "jobs in pages of Laravel", call: listJobs, line: "GET /api/v1/jobs/all/1",
		answer: `{"current_page": 1, "data": ` + jsonArray(listedJobSample) + `}`, want: []api.Job{listedJob}},
	{name: "jobs under their name", call: listJobs, line: "GET /api/v1/jobs/all/1",
		answer: `{"jobs": ` + jsonArray(listedJobSample) + `}`, want: []api.Job{listedJob}},
	{name: "jobs with numeric keys", call: listJobs, line: "GET /api/v1/jobs/all/1",
		answer: `{"3": ` + listedJobSample + `}`, want: []api.Job{listedJob}},
	{name: "no jobs", call: listJobs, line: "GET /api/v1/jobs/all/1", answer: `[]`, want: []api.Job{}, json: `[]`},
}

var indiaAndNepal = []api.Country{
	{ID: 1269750, Name: "India", Code: "IN", Continent: "AS", NameTranslated: "India"},
	{ID: 1282988, Name: "Nepal", Code: "NP", Continent: "AS", NameTranslated: "Nepal"},
}

const categorySample = `{"id": 9, "title": "Blog / Website owners", "cost": 0.1, "slug": "blog-website-owners",
	"text": "", "parent": 0, "subcat": [
		{"id": 47, "title": "Banner And Text Link to Website", "cost": 0.8,
		 "slug": "blog-website-owners/banner-and-text-link-to-website", "text": "", "parent": 9, "subcat": []},
		{"id": 45, "title": "Text Link to Website And Review Up to 50 Words", "cost": 0.3,
		 "slug": "blog-website-owners/text-link-to-website-and-review-up-to-50-words", "text": "", "parent": 9, "subcat": []}
	]}`

const categoriesPrinted = `[
	{"id": 9, "title": "Blog / Website owners", "cost": 0.1, "slug": "blog-website-owners", "text": "", "parent": 0},
	{"id": 47, "title": "Banner And Text Link to Website", "cost": 0.8,
	 "slug": "blog-website-owners/banner-and-text-link-to-website", "text": "", "parent": 9},
	{"id": 45, "title": "Text Link to Website And Review Up to 50 Words", "cost": 0.3,
	 "slug": "blog-website-owners/text-link-to-website-and-review-up-to-50-words", "text": "", "parent": 9}]`

var sampleCategories = []api.Category{
	{ID: 9, Title: "Blog / Website owners", MinPrice: money.MustParse("0.1"), Slug: "blog-website-owners"},
	{ID: 47, Title: "Banner And Text Link to Website", MinPrice: money.MustParse("0.8"), Parent: 9,
		Slug: "blog-website-owners/banner-and-text-link-to-website", Path: []string{"Blog / Website owners"}},
	{ID: 45, Title: "Text Link to Website And Review Up to 50 Words", MinPrice: money.MustParse("0.3"), Parent: 9,
		Slug: "blog-website-owners/text-link-to-website-and-review-up-to-50-words", Path: []string{"Blog / Website owners"}},
}

func listCategories(ctx context.Context, c *api.Client) (any, error) { return c.Categories(ctx) }

var listSamples = []sample{
	{name: "countries", call: func(ctx context.Context, c *api.Client) (any, error) { return c.Countries(ctx) },
		line: "GET /api/v1/countries",
		answer: `[{"country_id": "1269750", "name": "India", "code": "IN", "continent": "AS", "nameTranslated": "India"},
			{"country_id": "1282988", "name": "Nepal", "code": "NP", "continent": "AS", "nameTranslated": "Nepal"},]`,
		want: indiaAndNepal,
		json: `[{"country_id": 1269750, "name": "India", "code": "IN", "continent": "AS", "nameTranslated": "India"},
			{"country_id": 1282988, "name": "Nepal", "code": "NP", "continent": "AS", "nameTranslated": "Nepal"}]`},
	{name: "categories by numeric keys", call: listCategories, line: "GET /api/v1/categories",
		answer: `{"1": ` + categorySample + `,}`, want: sampleCategories, json: categoriesPrinted},
	{name: "categories in an array", call: listCategories, line: "GET /api/v1/categories",
		answer: jsonArray(categorySample), want: sampleCategories, json: categoriesPrinted},
	{name: "categories with the lower ones by numeric keys", call: listCategories, line: "GET /api/v1/categories",
		answer: `[{"id": "1", "title": "A", "cost": "0.10", "parent": null, "subcat": {"4": {"id": 2, "title": "B",
			"cost": 0.2, "parent": 1, "subcat": [{"id": 3, "title": "C", "cost": 0.3, "parent": 2, "subcat": null}]}}}]`,
		want: []api.Category{{ID: 1, Title: "A", MinPrice: 100_000}, {ID: 2, Title: "B", MinPrice: 200_000, Parent: 1,
			Path: []string{"A"}}, {ID: 3, Title: "C", MinPrice: 300_000, Parent: 2, Path: []string{"A", "B"}}},
		json: `[{"id": 1, "title": "A", "cost": 0.1, "parent": null}, {"id": 2, "title": "B", "cost": 0.2, "parent": 1},
			{"id": 3, "title": "C", "cost": 0.3, "parent": 2}]`},
}
