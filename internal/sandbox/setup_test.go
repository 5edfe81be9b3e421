package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// epoch is when the tests' marketplaces open.
var epoch = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// rig is a marketplace on a loopback port, with a clock that stands still.
type rig struct {
	*sandbox.Sandbox
	t    testing.TB
	http *http.Client
	url  string
}

func setup(t testing.TB, cfg sandbox.Config) *rig {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return epoch }
	}
	box := sandbox.New(cfg)
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	t.Cleanup(box.Close)
	client := &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true},
	}
	return &rig{box, t, client, server.URL}
}

// reply is what came back: err where nothing whole did.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (r *rig) call(method, path, body string) reply {
	r.t.Helper()
	if !strings.HasPrefix(path, "/sandbox/") {
		path = sandbox.BasePath + path
	}
	req, err := http.NewRequest(method, r.url+path, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Authorization", "Bearer key")
	resp, err := r.http.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(got), err}
}

func (r *rig) get(path string) string {
	r.t.Helper()
	got := r.call("GET", path, "")
	if got.err != nil || got.status != 200 {
		r.t.Fatalf("GET %s: status %d, %v: %s", path, got.status, got.err, got.body)
	}
	return got.body
}

func (r *rig) post(path, body string) string {
	r.t.Helper()
	got := r.call("POST", path, body)
	if got.err != nil || got.status != 200 {
		r.t.Fatalf("POST %s: status %d, %v: %s", path, got.status, got.err, got.body)
	}
	return got.body
}

// job makes a job on the website and returns its id.
func (r *rig) job(j sandbox.Job) int64 {
	r.t.Helper()
	id, err := r.AddJob(j)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) faults(text string) {
	r.t.Helper()
	plan, err := sandbox.ParseFaults(text)
	r.must(err)
	r.SetFaults(plan)
}

// balanced checks the books' own law.
func (r *rig) balanced() sandbox.Books {
	r.t.Helper()
	b := r.Books()
	if b.Charged-b.Refunded != b.Start+b.Deposited-b.Balance {
		r.t.Fatalf("charged %s - refunded %s != start %s + deposited %s - balance %s",
			b.Charged, b.Refunded, b.Start, b.Deposited, b.Balance)
	}
	return b
}

// shape is a JSON text with its values replaced by their types, in order.
func shape(t testing.TB, text string) string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	var out bytes.Buffer
	depth := []rune{}
	isKey := false
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			t.Fatalf("not JSON: %v: %s", err, text)
		}
		d, isDelim := token.(json.Delim)
		switch {
		case isDelim && (d == '{' || d == '['):
			depth = append(depth, rune(d))
			fmt.Fprintf(&out, "%c", d)
			isKey = d == '{'
			continue
		case isDelim:
			depth = depth[:len(depth)-1]
			fmt.Fprintf(&out, "%c ", d)
		case isKey:
			fmt.Fprintf(&out, "%s:", token)
			isKey = false
			continue
		default:
			fmt.Fprintf(&out, "%T ", token)
		}
		isKey = len(depth) > 0 && depth[len(depth)-1] == '{'
	}
}

// manualClock is a clock that a test moves.
type manualClock struct{ nanos atomic.Int64 }

func (c *manualClock) now() time.Time          { return epoch.Add(time.Duration(c.nanos.Load())) }
func (c *manualClock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// sampleCreate is the create of the reference, word for word.
const sampleCreate = `{
"title" : "Follow me on somewhere",
"price" : "0.03",
"country": "INT",
"availseats": "100",
"time":"1",
"category":"13",
"expected": [
"Do this",
"And do this",
"Then do this"
],
"hourly_limit": 10,
"proof": [
{
"desc": "Screenshot of your profile at ACME website",
"type": "image"
},
{
"desc": "Your username",
"type": "text"
}
],
"send_tweet": 1
}`

func readAll(req *http.Request) string {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
