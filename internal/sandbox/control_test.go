package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestTheTestingSurfaceDoesAndTells(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{FillIn: time.Hour}})
	r.post("/sandbox/jobs", `{"title": "By hand", "seats": 10, "price": "0.10"}`)
	r.post("/sandbox/applications", `{"job_id": 15341, "count": 3}`)
	r.post("/sandbox/edit", `{"job_id": 15341, "title": "Edited", "expected": ["One", "Two"]}`)
	r.post("/sandbox/seats", `{"job_id": 15341, "count": 5}`)
	r.post("/sandbox/deposit", `{"amount": "25"}`)
	if got := r.get("/job/15341"); !strings.Contains(got, `"title":"Edited","total_app":3,"availseats":15,`) {
		t.Errorf("the job is %s", got)
	}
	r.post("/sandbox/advance", `{"by": "72h"}`)
	r.post("/sandbox/faults", "me:503@1")
	if got := r.call("GET", "/me", ""); got.status != 503 {
		t.Errorf("the fault did not befall: status %d", got.status)
	}
	r.post("/sandbox/jobs", `{}`)
	r.post("/sandbox/finish", `{"job_id": 15342}`)
	r.post("/sandbox/delete", `{"job_id": 15342}`)

	var b sandbox.Books
	r.must(json.Unmarshal([]byte(r.call("GET", "/sandbox/books", "").body), &b))
	if diff := cmp.Diff(r.balanced(), b); diff != "" {
		t.Errorf("the books told over HTTP differ (-want +got):\n%s", diff)
	}
	if b.Deposited != 25*money.Dollar || b.Jobs[0].Filled != 15 || b.Jobs[1].Count("delete") != 1 {
		t.Errorf("the books are wrong: %+v", b)
	}
	var traffic sandbox.Traffic
	r.must(json.Unmarshal([]byte(r.call("GET", "/sandbox/requests", "").body), &traffic))
	if n := len(traffic.Requests); n != 2 || traffic.Requests[1].Fault != sandbox.Status503 || traffic.Answered["me"][503] != 1 {
		t.Errorf("the requests are wrong: %+v", traffic)
	}
	for path, body := range map[string]string{
		"faults": "me:nothing=1", "advance": `{"by": "soon"}`, "finish": `{"job_id": 1}`, "applications": `{"job_id": 15341, "count": 99}`,
	} {
		if got := r.call("POST", "/sandbox/"+path, body); got.status != 422 || !strings.Contains(got.body, `"error":"`) {
			t.Errorf("%s: status %d %s", path, got.status, got.body)
		}
	}
}

func TestTheTestingSurfaceIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Config{})
	t.Cleanup(box.Close)
	for name, c := range map[string]struct {
		remote, host, site string
		status             int
	}{
		"loopback":               {"127.0.0.1:5", "localhost:8080", "", 200},
		"loopback, IPv6":         {"[::1]:5", "[::1]", "", 200},
		"from elsewhere":         {"192.0.2.1:5", "localhost", "", 403},
		"under another name":     {"127.0.0.1:5", "evil.example", "", 403},
		"under a similar name":   {"127.0.0.1:5", "127.0.0.1.evil.example", "", 403},
		"by another site's page": {"127.0.0.1:5", "127.0.0.1", "cross-site", 403},
	} {
		req := httptest.NewRequest("POST", "/sandbox/deposit", strings.NewReader(`{"amount": "1"}`))
		req.RemoteAddr, req.Host = c.remote, c.host
		if c.site != "" {
			req.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		box.ServeHTTP(w, req)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", name, w.Code, c.status)
		}
	}
}

func TestCallbacksTellOfApplicationsAndEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asJSON bool
		want   []string
	}{
		"as a form": {false, []string{"application_id=501000&event=new-application&job_id=15341",
			"application_id=501001&event=new-application&job_id=15341", "event=job-finished&job_id=15341"}},
		"as JSON": {true, []string{`{"application_id":501000,"event":"new-application","job_id":15341}`,
			`{"application_id":501001,"event":"new-application","job_id":15341}`, `{"event":"job-finished","job_id":15341}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan string, 10)
			listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				bodies <- readAll(req)
			}))
			t.Cleanup(listener.Close)
			r := setup(t, sandbox.Config{CallbackJSON: c.asJSON, Crowd: sandbox.Crowd{Off: true}})
			r.post("/sandbox/callback", `{"url": "`+listener.URL+`"}`)
			id := r.job(sandbox.Job{Seats: 2})
			_, err := r.AddApplications(id, 2)
			r.must(err)
			for _, want := range c.want {
				if diff := cmp.Diff(want, <-bodies); diff != "" {
					t.Errorf("callback (-want +got):\n%s", diff)
				}
			}
			if got := r.get("/me"); !strings.Contains(got, `"callback_url":"`+listener.URL) {
				t.Errorf("the account does not show its callback: %s", got)
			}
		})
	}
}

func TestTheIndexTellsWhatThisIs(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Config{})
	t.Cleanup(box.Close)
	w := httptest.NewRecorder()
	box.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "no money moves") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
