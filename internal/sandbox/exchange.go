package sandbox

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// exchange is one request on its way to an answer, or to the fault that the
// plan has for it.
type exchange struct {
	s *Sandbox
	w http.ResponseWriter
	r *http.Request
	c *call
}

// apply does what was asked.
func (x *exchange) apply() answer {
	var a answer
	x.s.locked(func(m *market) { a = x.c.route.do(m, x.c) })
	return a
}

// send writes a whole answer.
func (x *exchange) send(a answer) { x.write(a.status, "application/json", x.s.encode(a.body)) }

func (x *exchange) write(status int, contentType string, body []byte) {
	x.s.traffic.end(x.c, status)
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	// A client that has gone is no fault of the marketplace.
	_, _ = x.w.Write(body)
}

// enact answers the call, or lets its fault happen.
func (x *exchange) enact() {
	switch x.c.fault.Kind {
	case DropBefore, DropAfter, ResetAfter, HangAfter, Late:
		x.stayMute()
	case Status500Before, Status503, Status429, Status401,
		Redirect301, Redirect302, Redirect307, Redirect308:
		x.turnAway()
	default:
		x.answerOddly(x.apply())
	}
}

// stayMute has the faults after which the client knows nothing.
func (x *exchange) stayMute() {
	linger := -1
	switch x.c.fault.Kind {
	case DropAfter:
		x.apply()
	case ResetAfter:
		x.apply()
		linger = 0
	case HangAfter:
		x.apply()
		x.s.traffic.end(x.c, 0)
		x.hang()
	case Late:
		delay := or(x.c.fault.Delay, 90*time.Second)
		x.s.locked(func(m *market) {
			m.after(delay, func() { x.c.route.do(m, x.c) })
		})
	}
	if x.c.fault.Kind != HangAfter {
		x.s.traffic.end(x.c, 0)
	}
	x.cut(linger)
}

func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.s.closed:
	}
}

// cut closes the connection without an answer; with linger 0 it is reset.
func (x *exchange) cut(linger int) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		http.Error(x.w, "this fault needs an HTTP/1.1 connection: "+err.Error(), http.StatusNotImplemented)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && linger == 0 {
		// Where it cannot be set, the close below is an ordinary one.
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// turnAway has the faults that answer without applying.
func (x *exchange) turnAway() {
	f := x.c.fault
	switch f.Kind {
	case Status500Before:
		x.send(serverError())
	case Status401:
		x.send(refuse(401, "Unauthenticated."))
	case Status429:
		x.tooMany(or(f.Delay, time.Second))
	case Status503:
		x.retryAfter(or(f.Delay, time.Second))
		x.send(refuse(503, "Service Unavailable"))
	case Redirect301:
		x.redirect(http.StatusMovedPermanently)
	case Redirect302:
		x.redirect(http.StatusFound)
	case Redirect307:
		x.redirect(http.StatusTemporaryRedirect)
	case Redirect308:
		x.redirect(http.StatusPermanentRedirect)
	}
}

func (x *exchange) redirect(status int) {
	to := or(x.c.fault.To, x.r.URL.Path)
	x.w.Header().Set("Location", to)
	x.write(status, "text/html; charset=utf-8", page("Redirecting to "+to))
}

func serverError() answer { return refuse(500, "Server Error") }

// or is v unless that is zero.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
