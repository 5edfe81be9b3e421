package sandbox_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// raw sends a create over a connection of its own and returns all that came
// back before the end, and the end if it was none in order.
func (r *rig) raw(body string) (string, error) {
	r.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	r.must(err)
	defer conn.Close()
	r.must(conn.SetDeadline(time.Now().Add(10 * time.Second)))
	fmt.Fprintf(conn, "POST /api/v1/jobs/create HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer key\r\n"+
		"Connection: close\r\nContent-Length: %d\r\n\r\n%s", conn.RemoteAddr(), len(body), body)
	got, err := io.ReadAll(bufio.NewReader(conn))
	return string(got), err
}

func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		made int    // jobs that exist afterwards
		want string // what comes back holds this; "" is nothing at all
	}{
		"drop_before":                           {0, ""},
		"drop_after":                            {1, ""},
		"reset_after":                           {1, ""},
		"late":                                  {0, ""},
		"500_before":                            {0, "HTTP/1.1 500 "},
		"500_after":                             {1, `{"message":"Server Error"}`},
		"502_html_after":                        {1, "<h1>502 Bad Gateway</h1>"},
		"503":                                   {0, "Retry-After: 1\r\n"},
		"429(90s)":                              {0, "Retry-After: 90\r\n"},
		"401":                                   {0, `{"message":"Unauthenticated."}`},
		"html_200_after":                        {1, "HTTP/1.1 200 OK"},
		"truncated_after":                       {1, "\r\n\r\n" + `{"result":"ok","cost"`},
		"malformed_after":                       {1, `"job_id":15341<br />`},
		"wrong_job_id":                          {1, `{"result":"ok","cost":4.875,"job_id":15342}`},
		"cost_missing":                          {1, `{"result":"ok","job_id":15341}`},
		"cost_string":                           {1, `"cost":"4.875"`},
		"redirect_301":                          {0, "HTTP/1.1 301 "},
		"redirect_302":                          {0, "Location: /api/v1/jobs/create\r\n"},
		"redirect_307(http://127.0.0.1:1/trap)": {0, "Location: http://127.0.0.1:1/trap\r\n"},
		"redirect_308":                          {0, "HTTP/1.1 308 "},
		"slow(50ms)":                            {1, `{"result":"ok","cost":4.875,"job_id":15341}`},
		"huge":                                  {1, `{"result":"ok","note":"aaaa`},
		"gzip_bomb":                             {1, "Content-Encoding: gzip\r\n"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			r.faults("create:" + kind + "@1")
			got, err := r.raw(sampleCreate)
			if (kind == "reset_after") != errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection ended with %v", err)
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %.300q, want it to hold %q", got, c.want)
			}
			if n := r.balanced().Creates["Then do this"]; n != c.made {
				t.Errorf("%d jobs were made, want %d", n, c.made)
			}
			if n := r.Traffic().Received["create"]; n != 1 {
				t.Errorf("%d requests arrived, want 1", n)
			}
			if again, err := r.raw(sampleCreate); err != nil || !strings.Contains(again, `"result":"ok","cost":4.875`) {
				t.Errorf("the fault outlived its request: %v %q", err, again)
			}
		})
	}
}

func TestTruncatedAnswersPromiseMore(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.faults("create:truncated_after@1")
	if got := r.call("POST", "/jobs/create", sampleCreate); !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("a client read %q, %v; want an unexpected end", got.body, got.err)
	}
}

func TestBombUnpacksToFarMoreThanItWeighs(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.faults("me:gzip_bomb@1,me:huge@2")
	for _, least := range []int64{64 << 20, 32 << 20} {
		req, err := http.NewRequest("GET", r.url+"/api/v1/me", nil)
		r.must(err)
		req.Header.Set("Authorization", "Bearer key")
		resp, err := r.http.Do(req)
		r.must(err)
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if n < least || err != nil {
			t.Errorf("the answer has %d bytes, want %d: %v", n, least, err)
		}
	}
}

func TestHangingAppliesAndEndsWithTheClient(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.faults("create:hang_after@1")
	r.http.Timeout = 2 * time.Second
	if got := r.call("POST", "/jobs/create", sampleCreate); got.err == nil {
		t.Errorf("an answer came: %+v", got)
	}
	if n := r.balanced().Creates["Then do this"]; n != 1 {
		t.Errorf("%d jobs were made, want 1", n)
	}
}

func TestLateRequestsLandLater(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now})
	r.faults("create:late(90s)@1")
	r.call("POST", "/jobs/create", sampleCreate)
	clock.advance(89 * time.Second)
	if n := len(r.Books().Jobs); n != 0 {
		t.Errorf("%d jobs were made too soon", n)
	}
	clock.advance(time.Second)
	b := r.balanced()
	if len(b.Jobs) != 1 || b.Jobs[0].Effects[0].Request != 1 {
		t.Errorf("the late create is not in the books: %+v", b.Jobs)
	}
}

func TestAnIgnoredQuoteMakesAJob(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.faults("quote:ignore_get_cost@2")
	ask := strings.Replace(sampleCreate, `"send_tweet"`, `"get_cost": "1", "send_tweet"`, 1)
	if diff := cmp.Diff(`{"result":"ok","cost":4.875}`, r.post("/jobs/create", ask)); diff != "" {
		t.Errorf("first quote (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`{"result":"ok","cost":4.875,"job_id":15341}`, r.post("/jobs/create", ask)); diff != "" {
		t.Errorf("second quote (-want +got):\n%s", diff)
	}
	if got := r.Traffic().Received["quote"]; got != 2 {
		t.Errorf("%d quotes were counted, want 2", got)
	}
}

func TestSharesAreKeptAndDrawnBySeed(t *testing.T) {
	t.Parallel()
	count := func(seed uint64) (faults uint64, log []int) {
		r := setup(t, sandbox.Config{Seed: seed})
		r.faults("*:500_before=0.2,me:503=0.1")
		for range 400 {
			log = append(log, r.call("GET", "/me", "").status)
		}
		return r.Traffic().Faults[sandbox.Status500Before], log
	}
	n, first := count(3)
	if n < 50 || n > 110 {
		t.Errorf("%d of 400 requests had the fault, want about 80", n)
	}
	_, second := count(3)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same seed drew other faults (-first +second):\n%s", diff)
	}
}

func TestFaultPlansAreReadOrExplained(t *testing.T) {
	t.Parallel()
	got, err := sandbox.ParseFaults(" create:drop_after=0.1, add_seats:late(2m)@3,*:redirect_307(http://127.0.0.1:9/x)=0.02,")
	want := sandbox.Plan{
		{Route: "create", Kind: sandbox.DropAfter, Share: 0.1},
		{Route: "add_seats", Kind: sandbox.Late, Nth: 3, Delay: 2 * time.Minute},
		{Route: "*", Kind: sandbox.Redirect307, Share: 0.02, To: "http://127.0.0.1:9/x"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, part := range map[string]string{
		"create":                           "write it as route:kind=share",
		"created:401=1":                    `there is no route "created"; use * or one of me, job,`,
		"create:explode=1":                 `there is no kind "explode"; use one of drop_before,`,
		"create:401":                       "say how often",
		"create:401=2":                     `"2" is not a share from 0 to 1`,
		"create:401=NaN":                   `"NaN" is not a share`,
		"create:401@0":                     `"0" is not the number of a request`,
		"me:cost_missing=1":                "cost_missing cannot befall me",
		"me:late(soon)=1":                  `"soon" is not a duration`,
		"me:late(1s=1":                     "close the bracket",
		"me:401(1s)=1":                     "401 takes no argument",
		"me:redirect_301(x)=1":             `"x" is not a URL`,
		"me:401=0.6,*:503=0.6":             "route me add up to 1.20",
		"quote:ignore_get_cost=1,jobs:x=1": `fault "jobs:x=1"`,
	} {
		if _, err := sandbox.ParseFaults(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: error %v, want it to hold %s", text, err, part)
		}
	}
}

func TestEveryRouteCanFail(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{})
	r.faults("*:503=1")
	for _, path := range []string{"/me", "/countries", "/jobs/all/1"} {
		if got := r.call("GET", path, ""); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d, want 503", path, got.status)
		}
	}
}
