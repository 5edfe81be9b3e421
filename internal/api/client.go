// Package api is the marketplace over HTTP (4b in the walk of an operation):
// one method for each endpoint of its reference, typed both ways. It reads
// liberally, because the reference contradicts itself, and sends exactly.
//
// A call is one request. Nothing here tries again, follows a redirect or
// speaks HTTP/2, since the marketplace has no idempotency key and a request
// that is sent twice is money spent twice. What a failed call may have done is
// told by [EffectOf]; success is told only for an answer that is whole, sound
// and about the thing that was asked for.
package api

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultBaseURL is where the marketplace serves its API.
const DefaultBaseURL = "https://www.hiretalents.com/api/v1"

// Config is what a Client is made from. Only Key is required.
type Config struct {
	// BaseURL is the address of the API. Plain http is accepted only to a
	// loopback address. Default DefaultBaseURL.
	BaseURL string
	Key     Key
	// Timeout bounds one request, from the dial to the last byte of the
	// answer; waiting for leave is not in it. Default 30s.
	Timeout time.Duration
	// Now is the clock for SendBefore, Retry-After dates and Exchange.Duration.
	// Default time.Now.
	Now func() time.Time
	// Wait is called before each request that carries no permit and returns
	// when it may be sent: the rate limit that all processes share. Its error
	// means that nothing was sent. Default: no limit.
	Wait func(ctx context.Context) error
	// Observe is called after each request, from the goroutine of the call.
	// Default: nobody looks.
	Observe func(Exchange)
	// DeleteTeamPath is where a team is deleted, below BaseURL. The reference
	// prints the path of the update. Default "/teams/delete".
	DeleteTeamPath string
	// UserAgent default: "campaign-runner".
	UserAgent string
	// Transport, where not nil, answers in place of the network: a marketplace in
	// this same process, or a test's. It tells by httptrace.GotConn, as net/http
	// does, that a request is on its way and may have had its effect.
	Transport http.RoundTripper
}

// Exchange is one request that was made, for logs and metrics.
type Exchange struct {
	Method string
	// Route is the path with {id} and the like unfilled.
	Route string
	// Status is 0 where no answer began.
	Status   int
	Duration time.Duration
	// Reason is "" for a success, and then Effect says nothing.
	Reason Reason
	Effect Effect
	// RetryAfter is 0 where the server did not say.
	RetryAfter time.Duration
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	prefix  string
	reads   *http.Transport
	changes *http.Transport
	signed  struct{ reads, changes *authorizer }

	key        Key
	timeout    time.Duration
	now        func() time.Time
	wait       func(context.Context) error
	observe    func(Exchange)
	deleteTeam endpoint
	agent      string
}

// New checks cfg and makes a Client. No request is made.
func New(cfg Config) (*Client, error) { return newClient(cfg, nil) }

func newClient(cfg Config, roots *x509.CertPool) (*Client, error) {
	cfg = cfg.withDefaults()
	if cfg.Key.IsZero() {
		return nil, errors.New("no API key: set HIRETALENTS_API_KEY or HIRETALENTS_API_KEY_FILE")
	}
	base, err := parseBase(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("API timeout %s: must be above zero", cfg.Timeout)
	}
	if err := checkPath(cfg.DeleteTeamPath); err != nil {
		return nil, err
	}
	c := &Client{
		prefix: base.String(), key: cfg.Key, timeout: cfg.Timeout, now: cfg.Now, wait: cfg.Wait,
		observe: cfg.Observe, deleteTeam: change(cfg.DeleteTeamPath), agent: cfg.UserAgent,
		reads: newTransport(readIdle, roots), changes: newTransport(changeIdle, roots),
	}
	c.signed.reads = &authorizer{base, cfg.Key, c.reads}
	c.signed.changes = &authorizer{base, cfg.Key, c.changes}
	if cfg.Transport != nil {
		c.signed.reads.next, c.signed.changes.next = underPass{cfg.Transport}, underPass{cfg.Transport}
	}
	return c, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = func(ctx context.Context) error { return ctx.Err() }
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Exchange) {}
	}
	if cfg.DeleteTeamPath == "" {
		cfg.DeleteTeamPath = "/teams/delete"
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "campaign-runner"
	}
	return cfg
}

// parseBase checks the API's address. Its errors leave out userinfo, which is
// where people put secrets.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil {
		return nil, errors.New("the API URL is not a URL: give one such as " + DefaultBaseURL)
	}
	switch {
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("the API URL takes no user, query or fragment: the key is set apart")
	case u.Hostname() == "":
		return nil, fmt.Errorf("API URL %q has no host: give one such as %s", text, DefaultBaseURL)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("API URL %q: http only to a loopback address, else https", text)
	default:
		return nil, fmt.Errorf("API URL %q: scheme %q must be https", text, u.Scheme)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip.IsLoopback()
}

func checkPath(path string) error {
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || u.Path != path {
		return fmt.Errorf("path %q to delete teams: must be a plain path such as /teams/delete", path)
	}
	return nil
}

// Close lets go of idle connections. Calls under way end on their own.
func (c *Client) Close() {
	c.reads.CloseIdleConnections()
	c.changes.CloseIdleConnections()
}

type (
	permitKey     struct{}
	sendBeforeKey struct{}
)

// WithPermit marks that the caller has already waited for the rate limit. The
// permit is good for one request under ctx; later ones wait again.
func WithPermit(ctx context.Context) context.Context {
	return context.WithValue(ctx, permitKey{}, new(atomic.Bool))
}

func permitted(ctx context.Context) bool {
	used, ok := ctx.Value(permitKey{}).(*atomic.Bool)
	return ok && used.CompareAndSwap(false, true)
}

// SendBefore bounds when a request may be written: from t on, by the wall or
// the monotonic clock, no byte of it leaves, and if none had left the error
// has EffectNotApplied and ReasonDeadline. It fences off a process that was
// suspended after it had decided to send.
func SendBefore(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, sendBeforeKey{}, t)
}
