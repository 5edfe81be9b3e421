package sandbox

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Kind names a fault. The empty kind is none.
type Kind string

// The kinds of faults. "Apply" is doing what was asked, in earnest.
const (
	// DropBefore closes the connection without applying.
	DropBefore Kind = "drop_before"
	// DropAfter applies, then closes the connection.
	DropAfter Kind = "drop_after"
	// ResetAfter applies, then resets the connection (RST).
	ResetAfter Kind = "reset_after"
	// HangAfter applies and never answers.
	HangAfter Kind = "hang_after"
	// Late closes the connection and applies after its argument, in market
	// time. Default 90s.
	Late Kind = "late"
	// Status500Before answers 500 without applying, Status500After once applied.
	Status500Before Kind = "500_before"
	Status500After  Kind = "500_after"
	// Status502After applies, then answers as a proxy does, in HTML.
	Status502After Kind = "502_html_after"
	// Status503 and Status429 do not apply. They carry a Retry-After of their
	// argument, default 1s.
	Status503 Kind = "503"
	Status429 Kind = "429"
	// Status401 refuses a good key.
	Status401 Kind = "401"
	// HTMLAfter applies, then answers 200 with a web page.
	HTMLAfter Kind = "html_200_after"
	// TruncatedAfter applies, then cuts the answer in the middle.
	TruncatedAfter Kind = "truncated_after"
	// MalformedAfter applies, then answers what is no JSON.
	MalformedAfter Kind = "malformed_after"
	// WrongJobID applies and answers with another job's id.
	WrongJobID Kind = "wrong_job_id"
	// CostMissing applies and leaves the cost out; CostString quotes it.
	CostMissing Kind = "cost_missing"
	CostString  Kind = "cost_string"
	// Redirect301 and the others do not apply and point to the same path, or
	// to the URL that is their argument.
	Redirect301 Kind = "redirect_301"
	Redirect302 Kind = "redirect_302"
	Redirect307 Kind = "redirect_307"
	Redirect308 Kind = "redirect_308"
	// Slow applies, then sends the answer byte by byte over its argument, in
	// real time. Default 5s.
	Slow Kind = "slow"
	// Huge applies, then answers 32 MiB.
	Huge Kind = "huge"
	// GzipBomb applies, then answers 64 MiB of JSON in 64 kB of gzip.
	GzipBomb Kind = "gzip_bomb"
	// IgnoreGetCost takes a quote for a create.
	IgnoreGetCost Kind = "ignore_get_cost"
)

// AnyRoute is the route of a fault that may befall every request to which its
// kind applies.
const AnyRoute = "*"

// Fault is one line of a fault plan.
type Fault struct {
	// Route is an endpoint's name, or AnyRoute.
	Route string
	Kind  Kind
	// Nth befalls the route's n-th request since the plan was set, counted
	// from 1. 0: by Share.
	Nth uint64
	// Share of the route's requests, from 0 to 1, drawn by the seed.
	Share float64
	// Delay is the argument of those kinds that take a duration. 0: their default.
	Delay time.Duration
	// To is the URL of a redirect. Empty: the same path.
	To string
}

// Plan is what goes wrong. At most one fault befalls a request: the first that
// names its number, else one drawn by the shares, which add up.
type Plan []Fault

// faultDraw draws the faults of requests: by the seed, the route, and how many
// requests the route has had since the plan was set.
type faultDraw struct {
	mu    sync.Mutex
	seed  uint64
	plan  Plan
	count map[string]uint64
}

func (d *faultDraw) set(seed uint64, plan Plan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seed, d.plan, d.count = seed, slices.Clone(plan), map[string]uint64{}
}

func (d *faultDraw) draw(route string) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.plan) == 0 {
		return Fault{}
	}
	d.count[route]++
	n := d.count[route]
	for _, f := range d.plan {
		if f.Nth == n && f.applies(route) {
			return f
		}
	}
	luck := rand.New(rand.NewPCG(d.seed^textHash(route), n)).Float64()
	for _, f := range d.plan {
		if f.Nth != 0 || !f.applies(route) {
			continue
		}
		if luck < f.Share {
			return f
		}
		luck -= f.Share
	}
	return Fault{}
}

// applies tells whether the fault may befall a route.
func (f Fault) applies(route string) bool {
	return (f.Route == route || f.Route == AnyRoute) && f.Kind.fits(route)
}

// fits tells whether a kind means anything on a route: a cost can only be
// missing where there is one.
func (k Kind) fits(route string) bool {
	switch k {
	case IgnoreGetCost:
		return route == quote
	case CostMissing, CostString:
		return slices.Contains([]string{"create", quote, "add_seats", "resume"}, route)
	case WrongJobID:
		return slices.Contains([]string{
			"create", "add_seats", "resume", "pause", "restart", "update"}, route)
	}
	return true
}

// textHash is FNV-1a.
func textHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
