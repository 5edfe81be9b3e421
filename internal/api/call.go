package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

var errTooLong = errors.New("the answer is longer than is read")

// call makes one request and reads its answer. body is sent as JSON; nil sends
// none. take reads a 2xx, even one that says that it failed; its error makes
// the answer unreadable.
func (c *Client) call(ctx context.Context, e endpoint, args []string, body any, take func(any) error) error {
	if !permitted(ctx) {
		if err := c.wait(ctx); err != nil {
			return &Error{Method: e.method, Route: e.route, Effect: EffectNotApplied,
				Reason: heldReason(err), Err: err}
		}
	}
	started := c.now()
	x := c.exchange(ctx, e, args, body)
	ended := c.now()
	failure := classify(x, ended, take)
	seen := Exchange{Method: e.method, Route: e.route, Status: x.status, Duration: ended.Sub(started)}
	if failure == nil {
		c.observe(seen)
		return nil
	}
	failure.Method, failure.Route = e.method, e.route
	failure.Message, failure.Err = c.key.redact(failure.Message), c.key.redactError(failure.Err)
	seen.Reason, seen.Effect, seen.RetryAfter = failure.Reason, failure.Effect, failure.RetryAfter
	c.observe(seen)
	return failure
}

// heldReason keeps an ended context apart from a limit that failed.
func heldReason(err error) Reason {
	if ended := faultReason(err, false); ended == ReasonCanceled || ended == ReasonTimeout {
		return ended
	}
	return ReasonHeld
}

// exchange sends the request and gathers all that is known of what happened.
func (c *Client) exchange(ctx context.Context, e endpoint, args []string, body any) exchange {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	p := newPass(ctx, c.now)
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, p.trace()), passKey{}, p)
	req, err := c.request(ctx, e, args, body)
	if err != nil {
		return exchange{fault: err}
	}
	resp, err := c.roundTripper(e).RoundTrip(req)
	if err != nil {
		return sealed(p, exchange{fault: err})
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := readUpTo(resp.Body, e.most)
	return sealed(p, exchange{status: resp.StatusCode, header: resp.Header, body: content, fault: err})
}

// sealed ends the request's leave to write and adds whether it was used.
func sealed(p *pass, x exchange) exchange {
	sent, refused := p.seal()
	x.sent = sent
	if refused != nil {
		x.fault = refused
	}
	return x
}

// request has no GetBody, so that the transport cannot send a body twice. The
// round tripper is called without an http.Client, so that no redirect is
// followed and no cookie kept.
func (c *Client) request(ctx context.Context, e endpoint, args []string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, e.method, c.prefix+e.path(args), content)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (c *Client) roundTripper(e endpoint) http.RoundTripper {
	if e.changes {
		return c.signed.changes
	}
	return c.signed.reads
}

func readUpTo(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("%w: %d bytes", errTooLong, most)
	}
	return b, err
}

// invalid is the error for a request that is not sent because it is wrong.
func invalid(e endpoint, format string, args ...any) error {
	return &Error{Method: e.method, Route: e.route, Effect: EffectRejected,
		Reason: ReasonInvalid, Message: fmt.Sprintf(format, args...)}
}
