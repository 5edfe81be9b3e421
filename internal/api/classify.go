package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// exchange is all that is known of one request and its answer.
type exchange struct {
	// sent tells that a byte of the request may have left.
	sent bool
	// fault is what kept the answer from being whole; nil for a whole one.
	fault error
	// status is 0 where no answer began.
	status int
	header http.Header
	// body is decompressed and, with a fault, cut.
	body []byte
}

// classify says what an exchange means: nil for a success, which is a whole 2xx
// that take accepts and that does not say that it failed, or else an Error
// without Method and Route. What fits no rule has EffectUnknown. It depends on
// nothing but its arguments, and never on the text of an error.
func classify(x exchange, now time.Time, take func(any) error) *Error {
	if !x.sent {
		return unsent(x)
	}
	if x.status == 0 {
		return &Error{Reason: faultReason(x.fault, true), Err: x.fault}
	}
	e := &Error{Status: x.status, RetryAfter: retryAfter(x.header, now), Err: x.fault}
	switch {
	case x.status/100 == 2:
		return accept(e, x, take)
	case x.status == http.StatusTooManyRequests:
		e.Effect, e.Reason = EffectNotApplied, ReasonRateLimited
	case x.status == http.StatusUnauthorized:
		e.Effect, e.Reason = EffectNotApplied, ReasonUnauthorized
	case x.status/100 == 3:
		e.Reason, e.Message = ReasonRedirected, redirectHost(x.header)
		return e
	case x.status/100 == 5:
		e.Reason = ReasonServer
	case decides(x.status) && x.fault == nil && givesReason(x):
		e.Effect, e.Reason = EffectRejected, refusalReason(x.status)
	default:
		e.Reason = ReasonUnexpected
	}
	e.Message = serverMessage(x)
	return e
}

// unsent is a request of which no byte left: whatever came back is not an
// answer to it.
func unsent(x exchange) *Error {
	e := &Error{Effect: EffectNotApplied, Status: x.status, Reason: ReasonUnexpected, Err: x.fault}
	if x.fault != nil {
		e.Reason = faultReason(x.fault, false)
	}
	return e
}

// accept takes a 2xx. A 2xx that says that it failed is not believed either
// way, since nothing tells what it did before it failed.
func accept(e *Error, x exchange, take func(any) error) *Error {
	if x.fault != nil {
		e.Reason = faultReason(x.fault, true)
		return e
	}
	v, err := parse(x.body)
	if err == nil {
		err = take(v)
	}
	if message, failed := failure(v); failed {
		e.Reason, e.Message = ReasonFailed, message
		return e
	}
	if err == nil {
		return nil
	}
	e.Reason, e.Err = ReasonUnreadable, err
	return e
}

// faultReason tells ends of time from ends of connections.
func faultReason(err error, sent bool) Reason {
	var timeout net.Error
	switch {
	case errors.Is(err, errLate):
		return ReasonDeadline
	case errors.Is(err, errTooLong):
		return ReasonUnreadable
	case errors.Is(err, context.Canceled):
		return ReasonCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ReasonTimeout
	case sent:
		return ReasonBroken
	default:
		return ReasonUnreachable
	}
}

// decides tells the statuses that refuse a request before it is acted on. 408,
// 409, 425 and 499 are not among them: work may have begun.
func decides(status int) bool {
	switch status {
	case 400, 402, 403, 404, 405, 406, 410, 413, 415, 422:
		return true
	}
	return false
}

func refusalReason(status int) Reason {
	if status == http.StatusNotFound || status == http.StatusGone {
		return ReasonNotFound
	}
	return ReasonRefused
}

// givesReason tells whether a refusal comes from the API and not from something
// before it: it is JSON and claims no success, or a few words of plain text. The
// Content-Type of JSON is not asked for, as PHP labels it text/html by default.
func givesReason(x exchange) bool {
	v, err := parse(x.body)
	if err != nil {
		return plainWords(x)
	}
	switch t := v.(type) {
	case string:
		return strings.TrimSpace(t) != "" && !strings.Contains(t, "<")
	case *object, []any:
		return succeeded(v) != nil
	}
	return false
}

func plainWords(x exchange) bool {
	const most = 1024
	kind, _, err := mime.ParseMediaType(x.header.Get("Content-Type"))
	text := strings.TrimSpace(string(x.body))
	return err == nil && kind == "text/plain" && text != "" && len(text) <= most &&
		utf8.ValidString(text) && !strings.ContainsAny(text, "<\x00")
}

// redirectHost says where a redirect leads, which is all of it that is shown:
// its path and query may hold anything.
func redirectHost(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil || h.Get("Location") == "" {
		return "no usable Location"
	}
	if u.Host == "" {
		return "to another path of the same host"
	}
	return fmt.Sprintf("to %s host %q", u.Scheme, clean(u.Host))
}
