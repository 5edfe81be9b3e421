package api

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Effect is what a failed call may have done on the marketplace. The zero
// value promises nothing, so that what is not known is never taken for safe.
type Effect int

const (
	// EffectUnknown: it may have been done, or may yet be. Read it back.
	EffectUnknown Effect = iota
	// EffectNotApplied: surely not done; it may be tried again.
	EffectNotApplied
	// EffectRejected: surely not done, and the same request never will be.
	EffectRejected
)

// String is "unknown", "not applied" or "rejected".
func (e Effect) String() string {
	switch e {
	case EffectUnknown:
		return "unknown"
	case EffectNotApplied:
		return "not applied"
	case EffectRejected:
		return "rejected"
	default:
		return "effect " + strconv.Itoa(int(e))
	}
}

// Reason is the class of an error, one short word for logs and metrics.
type Reason string

// The reasons of errors.
const (
	// ReasonInvalid: the request is wrong by the reference and was not sent.
	ReasonInvalid Reason = "invalid"
	// ReasonHeld: Config.Wait gave no leave to send.
	ReasonHeld Reason = "held"
	// ReasonDeadline: the instant of SendBefore had passed.
	ReasonDeadline Reason = "deadline"
	// ReasonCanceled: the caller's context was canceled.
	ReasonCanceled Reason = "canceled"
	// ReasonTimeout: no whole answer within Config.Timeout or the context's own.
	ReasonTimeout Reason = "timeout"
	// ReasonUnreachable: no connection came about, by DNS, TCP or TLS.
	ReasonUnreachable Reason = "unreachable"
	// ReasonBroken: the connection broke after the request had begun to leave.
	ReasonBroken Reason = "broken"
	// ReasonRateLimited: status 429; see Error.RetryAfter.
	ReasonRateLimited Reason = "rate_limited"
	// ReasonUnauthorized: status 401. The key is at fault, not the operation.
	ReasonUnauthorized Reason = "unauthorized"
	// ReasonNotFound: status 404 or 410 with a reason.
	ReasonNotFound Reason = "not_found"
	// ReasonRefused: another 4xx with a reason.
	ReasonRefused Reason = "refused"
	// ReasonFailed: a 2xx whose body says that it failed.
	ReasonFailed Reason = "failed"
	// ReasonUnreadable: a 2xx whose body is not what it must be.
	ReasonUnreadable Reason = "unreadable"
	// ReasonRedirected: a 3xx; redirects are never followed.
	ReasonRedirected Reason = "redirected"
	// ReasonServer: a 5xx.
	ReasonServer Reason = "server"
	// ReasonUnexpected: any other status, or a 4xx that gives no reason.
	ReasonUnexpected Reason = "unexpected"
)

// explain says what each reason means to a person, and what to do.
func (r Reason) explain() string {
	switch r {
	case ReasonInvalid:
		return "not sent, since it cannot be right"
	case ReasonHeld:
		return "not sent, since the rate limit gave no leave"
	case ReasonDeadline:
		return "not sent in the time allowed for it"
	case ReasonCanceled:
		return "canceled"
	case ReasonTimeout:
		return "no whole answer in time"
	case ReasonUnreachable:
		return "the API was not reached, check its URL and the network"
	case ReasonBroken:
		return "the connection broke before the answer was whole"
	case ReasonRateLimited:
		return "the API asks for fewer requests"
	case ReasonUnauthorized:
		return "the API does not accept the key, check HIRETALENTS_API_KEY"
	case ReasonNotFound:
		return "the API does not know it"
	case ReasonRefused:
		return "the API refused it"
	case ReasonFailed:
		return "the API says that it failed"
	case ReasonUnreadable:
		return "the answer cannot be trusted"
	case ReasonRedirected:
		return "the API redirects, set the API URL to the final address if you trust it"
	case ReasonServer:
		return "the API is out of order"
	default:
		return "the answer decides nothing"
	}
}

// Error is every error that a Client's methods return.
type Error struct {
	// Method and Route name the call: "POST", "/job/{id}/add_seat".
	Method, Route string
	// Status is the HTTP status; 0 where no answer began.
	Status int
	Effect Effect
	Reason Reason
	// Message is the server's own reason, or what is wrong with the request,
	// in one line of at most 300 runes without control characters.
	Message string
	// RetryAfter is how long the server asks to wait: 0 to 1h, 0 if it does
	// not say.
	RetryAfter time.Duration
	// Err is the cause, where there is one below this error.
	Err error
}

// Error has the call, the status, what the reason means, and the server's words.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", e.Method, e.Route, e.Reason.explain())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d)", e.Status)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// EffectOf is the effect of the *Error in err's chain. Of any other error, and
// of nil, it says EffectUnknown: ask it only about calls that failed.
func EffectOf(err error) Effect {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Effect
	}
	return EffectUnknown
}

// ReasonOf is the reason of the *Error in err's chain, or "" without one.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
