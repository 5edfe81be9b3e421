package api

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errLate   = errors.New("the instant of SendBefore has passed")
	errSealed = errors.New("the call has ended")
)

// pass is the leave of one request to write. It is asked right before every
// write to the network, so that a process that was suspended between deciding
// and sending writes nothing when it wakes up, and it remembers whether a byte
// left, which is what tells "surely not applied" from "maybe".
type pass struct {
	// refuse returns why nothing more may be written, or nil.
	refuse func() error

	mu      sync.Mutex
	sealed  bool
	writing int
	sent    bool
	refused error
}

func (p *pass) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sealed {
		return errSealed
	}
	if err := p.refuse(); err != nil {
		p.refused = err
		return err
	}
	p.writing++
	return nil
}

// end takes what the kernel accepted of a write: of an error with no byte,
// as a stale connection gives, nothing can have reached the server.
func (p *pass) end(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing--
	p.sent = p.sent || n > 0
}

// seal ends the leave for good, and only then tells whether a byte may have
// left. The transport returns on a canceled context while its writer may be
// about to write, so asking without sealing would be a race.
func (p *pass) seal() (sent bool, refused error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealed = true
	return p.sent || p.writing > 0, p.refused
}

// trace puts the connection that a request is given under its pass.
func (p *pass) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { p.attach(info.Conn) }}
}

// attach hands the connection to the pass: HTTP/1.1 carries one request at a
// time, so that its writes are this request's until the next attach.
func (p *pass) attach(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	guarded, ok := conn.(*guardedConn)
	if !ok {
		p.assumeSent()
		return
	}
	guarded.pass.Store(p)
}

// assumeSent is for a connection that cannot be watched.
func (p *pass) assumeSent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = true
}

// guardedConn asks the pass of the current request before each write. Before
// the first request, during a TLS handshake, there is none.
type guardedConn struct {
	net.Conn
	pass atomic.Pointer[pass]
}

func (c *guardedConn) Write(b []byte) (int, error) {
	p := c.pass.Load()
	if p == nil {
		return c.Conn.Write(b)
	}
	if err := p.begin(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	p.end(n)
	return n, err
}

type passKey struct{}

// underPass asks the pass before a transport that has no connection to watch.
type underPass struct{ next http.RoundTripper }

func (f underPass) RoundTrip(req *http.Request) (*http.Response, error) {
	p, ok := req.Context().Value(passKey{}).(*pass)
	if !ok {
		return nil, errSealed
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	defer p.end(0)
	return f.next.RoundTrip(req)
}

// fence is the instant of SendBefore on two clocks: as given, and as far from
// a start on the monotonic clock as it then was on the wall clock. A clock
// that is set back does not open it again.
type fence struct{ given, measured time.Time }

func newFence(start, before time.Time) fence {
	return fence{given: before, measured: start.Add(before.Round(0).Sub(start.Round(0)))}
}

func (f fence) passed(now time.Time) bool {
	return !now.Before(f.given) || !now.Before(f.measured) || !now.Round(0).Before(f.given.Round(0))
}

// newPass allows writing until ctx ends and, where the caller set one, until
// the fence. The context's deadline is compared and not only its state, since
// its timer may fire late in a process that was suspended.
func newPass(ctx context.Context, now func() time.Time) *pass {
	var f *fence
	if before, ok := ctx.Value(sendBeforeKey{}).(time.Time); ok {
		made := newFence(now(), before)
		f = &made
	}
	deadline, limited := ctx.Deadline()
	return &pass{refuse: func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if limited && time.Until(deadline) <= 0 { //nolint:forbidigo // a context's deadline is of the real clock
			return context.DeadlineExceeded
		}
		if f != nil && f.passed(now()) {
			return errLate
		}
		return nil
	}}
}
