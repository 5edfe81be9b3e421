package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"time"
)

type transport = http.RoundTripper

// The faults of the network and the marketplace. What is named `before` has no
// effect, what is named `after` has one and its answer gets lost.
const (
	faultRefused     = "refused"      // no connection: nothing left
	faultDropBefore  = "drop_before"  // reset, nothing done
	faultDropAfter   = "drop_after"   // done, then reset
	faultHangBefore  = "hang_before"  // no answer until the client gives up
	faultHangAfter   = "hang_after"   // done, no answer
	faultLate        = "late"         // reset, and done a good while after that
	faultSlow        = "slow"         // done and answered just in time
	fault500Before   = "500_before"   //
	fault500After    = "500_after"    //
	fault502HTML     = "502_html"     // done, then a proxy's page
	fault503         = "503"          // not done, with Retry-After
	fault429Seconds  = "429_seconds"  //
	fault429Date     = "429_date"     //
	fault401         = "401"          //
	faultRedirect    = "redirect_302" //
	faultRedirect307 = "redirect_307" //
	faultHTML        = "html_200"     // done, then a web page
	faultTruncated   = "truncated"    // done, the answer is cut
	faultMalformed   = "malformed"    // done, the answer is no JSON
	faultWrongJob    = "wrong_job_id" // done, the answer names another job
	faultNoCost      = "cost_missing" // done, the answer has no cost
	faultCostText    = "cost_string"  // done, the cost is quoted: no fault at all
)

// faults are all of them.
var faults = []string{
	faultRefused, faultDropBefore, faultDropAfter, faultHangBefore, faultHangAfter, faultLate, faultSlow,
	fault500Before, fault500After, fault502HTML, fault503, fault429Seconds, fault429Date, fault401,
	faultRedirect, faultRedirect307, faultHTML, faultTruncated, faultMalformed, faultWrongJob, faultNoCost, faultCostText,
}

// routes are the calls that the simulation makes, as the sandbox names them.
var routes = []string{
	"me", "job", "jobs", "application", "quote", "create", "add_seats", "resume", "pause", "restart", "update", "rate",
}

// changing routes have an effect.
func changing(route string) bool {
	return slices.Index(routes, route) >= slices.Index(routes, "create")
}

// fits tells whether a fault means anything on a route.
func fits(fault, route string) bool {
	receipt := route == "create" || route == "add_seats" || route == "resume"
	switch fault {
	case faultNoCost, faultCostText:
		return receipt || route == "quote"
	case faultWrongJob:
		return changing(route) && route != "rate"
	case faultLate:
		return changing(route)
	}
	return true
}

const (
	// giveUp is how long a client waits for an answer.
	giveUp = 30 * time.Second
	// settleAfter is the executor's; a request that its client gave up on lands
	// before that is over.
	settleAfter = 2 * time.Minute
)

// packet is a request on its way.
type packet struct {
	a      *actor
	number int
	op     string
	route  string
	method string
	path   string
	header http.Header
	body   []byte
	fault  string
	// sent is when it left; due from when it may arrive, and by when it must.
	// A zero due never arrives.
	sent, due, by time.Time
	// told is when the client learns of its outcome at the latest; where early
	// it learns of it as soon as it has arrived or broken.
	told      time.Time
	early     bool
	delivered bool
	status    int
	answer    http.Header
	content   []byte
	broken    error
	// overlooked tells that it asked for a price and made a job.
	overlooked bool
}

// network stands between an actor and the marketplace.
type network struct{ a *actor }

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	a, w := n.a, n.a.w
	if a.dead {
		return nil, errKilled
	}
	p := w.packet(a, req)
	if p.fault == faultRefused {
		w.note("%s %s %s: refused", a.name, p.route, p.path)
		return nil, errors.New("connection refused")
	}
	if t := httptrace.ContextClientTrace(req.Context()); t != nil && t.GotConn != nil {
		t.GotConn(httptrace.GotConnInfo{})
	}
	w.sending(p)
	w.wire = append(w.wire, p)
	a.packet = p
	a.wait()
	a.packet = nil
	if a.dead {
		return nil, errKilled
	}
	return p.response(req)
}

// packet reads a request and draws its fault.
func (w *world) packet(a *actor, req *http.Request) *packet {
	w.packets++
	p := &packet{
		a: a, number: w.packets, op: a.op, method: req.Method, path: req.URL.Path, header: req.Header.Clone(),
		sent: w.now, due: w.now, by: w.now.Add(giveUp - time.Second), told: w.now.Add(giveUp), early: true,
	}
	if req.Body != nil {
		p.body, _ = io.ReadAll(req.Body)
	}
	p.route = routeOf(p.path, p.body)
	p.fault = w.drawFault(p.route)
	switch p.fault {
	case faultDropBefore, fault500Before, fault503, fault429Seconds, fault429Date, fault401, faultRedirect, faultRedirect307:
		p.due = time.Time{}
	case faultHangBefore:
		p.due, p.early = time.Time{}, false
	case faultHangAfter:
		p.early = false
	case faultSlow:
		p.due = w.now.Add(giveUp - 2*time.Second)
	case faultLate:
		// It lands after its client was told of a broken connection.
		p.due = w.now.Add(time.Second + time.Duration(w.rng.Int64N(int64(settleAfter-2*time.Second))))
		p.by = p.due
	}
	p.broken = map[string]error{
		faultDropBefore: io.ErrUnexpectedEOF, faultDropAfter: io.ErrUnexpectedEOF, faultLate: io.ErrUnexpectedEOF,
		faultHangBefore: context.DeadlineExceeded, faultHangAfter: context.DeadlineExceeded,
	}[p.fault]
	return p
}

var routePatterns = []struct {
	route   string
	pattern *regexp.Regexp
}{
	{"me", regexp.MustCompile(`/me$`)},
	{"jobs", regexp.MustCompile(`/jobs/[^/]+/\d+$`)},
	{"create", regexp.MustCompile(`/jobs/create$`)},
	{"update", regexp.MustCompile(`/job/\d+/update$`)},
	{"add_seats", regexp.MustCompile(`/job/\d+/add_seat$`)},
	{"pause", regexp.MustCompile(`/job/\d+/pause$`)},
	{"resume", regexp.MustCompile(`/job/\d+/resume$`)},
	{"restart", regexp.MustCompile(`/job/\d+/restart$`)},
	{"job", regexp.MustCompile(`/job/\d+$`)},
	{"rate", regexp.MustCompile(`/application/\d+/set$`)},
	{"application", regexp.MustCompile(`/application/\d+$`)},
}

func routeOf(path string, body []byte) string {
	for _, r := range routePatterns {
		if r.pattern.MatchString(path) {
			if r.route == "create" && bytes.Contains(body, []byte(`"get_cost":`)) {
				return "quote"
			}
			return r.route
		}
	}
	return path
}

// answered is when a packet's client may go on.
func (p *packet) answered(now time.Time) bool {
	if !now.Before(p.told) {
		return true
	}
	if !p.early {
		return false
	}
	return p.delivered || p.due.IsZero() || p.fault == faultLate
}

// response is what the client gets.
func (p *packet) response(req *http.Request) (*http.Response, error) {
	if p.broken != nil {
		return nil, p.broken
	}
	if !p.delivered && !p.due.IsZero() {
		return nil, context.DeadlineExceeded
	}
	p.distort()
	return &http.Response{
		Status: fmt.Sprint(p.status), StatusCode: p.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: p.answer, Body: io.NopCloser(p.reader()), Request: req, ContentLength: -1,
	}, nil
}

func (p *packet) reader() io.Reader {
	if p.fault == faultTruncated {
		return io.MultiReader(bytes.NewReader(p.content[:len(p.content)/2]), cutShort{})
	}
	return bytes.NewReader(p.content)
}

type cutShort struct{}

func (cutShort) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// distort makes of an answer what the fault wants.
func (p *packet) distort() {
	refuse := func(status int, text string) {
		p.status, p.content = status, []byte(text)
		p.answer = http.Header{"Content-Type": {"application/json"}}
	}
	const page = "<!DOCTYPE html><html><body>Sorry</body></html>"
	switch p.fault {
	case fault500Before, fault500After:
		refuse(500, `{"message":"Server Error"}`)
	case fault502HTML:
		refuse(502, page)
	case fault503:
		refuse(503, `{"message":"Service Unavailable"}`)
		p.answer.Set("Retry-After", "2")
	case fault429Seconds:
		refuse(429, `{"message":"Too Many Attempts."}`)
		p.answer.Set("Retry-After", "3")
	case fault429Date:
		refuse(429, `{"message":"Too Many Attempts."}`)
		p.answer.Set("Retry-After", p.a.w.now.Add(4*time.Second).UTC().Format(http.TimeFormat))
	case fault401:
		refuse(401, `{"message":"Unauthenticated."}`)
	case faultRedirect, faultRedirect307:
		refuse(map[string]int{faultRedirect: 302, faultRedirect307: 307}[p.fault], page)
		p.answer.Set("Location", p.path)
	case faultHTML:
		refuse(200, page)
	case faultMalformed:
		p.content = append([]byte(`{"result":"ok",,`), p.content...)
	case faultWrongJob:
		p.content = jobIDPattern.ReplaceAll(p.content, []byte(`"job_id"$1:${2}15999${2}`))
	case faultNoCost:
		p.content = bytes.Replace(p.content, []byte(`"cost"`), []byte(`"price_paid"`), 1)
	case faultCostText:
		p.content = costPattern.ReplaceAll(p.content, []byte(`"cost":"$1"`))
	}
}

var (
	jobIDPattern = regexp.MustCompile(`"job_id"(\s*):\s*("?)\d+"?`)
	costPattern  = regexp.MustCompile(`"cost"\s*:\s*([0-9.]+)`)
)

// recorder takes the marketplace's answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}
func (r *recorder) Write(b []byte) (int, error) { r.WriteHeader(200); return r.body.Write(b) }

// deliver lets a packet arrive.
func (w *world) deliver(p *packet) {
	w.wire = slices.DeleteFunc(w.wire, func(q *packet) bool { return q == p })
	p.delivered = true
	w.overlook(p)
	req, err := http.NewRequest(p.method, "http://127.0.0.1:9"+p.path, bytes.NewReader(p.body))
	if err != nil {
		panic(err)
	}
	req.Header = p.header
	rec := &recorder{header: http.Header{}}
	effect := w.effectOf(p, func() { w.box.ServeHTTP(rec, req) })
	p.status, p.answer, p.content = rec.status, rec.header, rec.body.Bytes()
	w.note("  #%d %s %s arrives: %d%s", p.number, p.route, p.path, p.status, effect)
}

// directly reaches the marketplace at once, for the simulation's own eyes.
type directly struct{ w *world }

func (d directly) RoundTrip(req *http.Request) (*http.Response, error) {
	if t := httptrace.ContextClientTrace(req.Context()); t != nil && t.GotConn != nil {
		t.GotConn(httptrace.GotConnInfo{})
	}
	rec := &recorder{header: http.Header{}}
	req = req.WithContext(context.Background())
	if req.Body == nil {
		req.Body = http.NoBody
	}
	d.w.box.ServeHTTP(rec, req)
	return &http.Response{StatusCode: rec.status, Header: rec.header, Body: io.NopCloser(&rec.body), Request: req}, nil
}
