package console_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/console"
)

// routes are all of them and some that are none.
var routes = []struct{ method, path string }{
	{"GET", "/"},
	{"GET", "/?page=2&refresh=off"},
	{"GET", "/op/" + madeID},
	{"GET", "/op/none/such/op/20261124T090000Z"},
	{"GET", "/style.css"},
	{"GET", "/healthz"},
	{"GET", "/readyz"},
	{"GET", "/metrics"},
	{"GET", "/login"},
	{"POST", "/login"},
	{"POST", "/logout"},
	{"POST", "/callbacks/hiretalents/" + callbackSecret},
	{"POST", "/callbacks/hiretalents/wrong"},
	{"GET", "/none"},
	{"DELETE", "/"},
	{"HEAD", "/"},
	{"OPTIONS", "/"},
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	t.Parallel()
	f := setup(t, withCallbacks(nil))
	f.seed(t, "text")
	broken := setup(t, nil)
	broken.redis.Close()
	panicking := setup(t, func(cfg *console.Config) {
		cfg.Ready = func(context.Context) error { panic("secret state") }
	})
	check := func(t *testing.T, got answer) {
		t.Helper()
		for name, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"X-Frame-Options":            "DENY",
			"Referrer-Policy":            "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Cache-Control":              "no-store",
		} {
			if v := got.Header.Get(name); v != want {
				t.Errorf("%s is %q, want %q", name, v, want)
			}
		}
		csp := got.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("the policy %q lacks %q", csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("the policy %q is unsafe", csp)
		}
	}
	for _, route := range routes {
		t.Run(route.method+" "+route.path, func(t *testing.T) {
			t.Parallel()
			check(t, f.do(t, route.method, route.path, "", nil))
		})
	}
	t.Run("a journal that does not answer is a 503", func(t *testing.T) {
		t.Parallel()
		got := broken.get(t, "/")
		check(t, got)
		if got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("got %d, want 503", got.StatusCode)
		}
	})
	t.Run("a panic is a 500 that tells nothing", func(t *testing.T) {
		t.Parallel()
		got := panicking.get(t, "/readyz")
		check(t, got)
		if got.StatusCode != http.StatusInternalServerError || got.body != "internal error\n" {
			t.Errorf("got %d %q, want a plain 500", got.StatusCode, got.body)
		}
		if !strings.Contains(panicking.log.String(), "secret state") {
			t.Error("the log does not tell the cause")
		}
	})
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	f := setup(t, func(cfg *console.Config) {
		withToken(cfg)
		withCallbacks(nil)(cfg)
	})
	tests := []struct {
		name, method, path, site, origin string
		refused                          bool
	}{
		{"same origin post", "POST", "/logout", "same-origin", "", false},
		{"typed post", "POST", "/logout", "none", "", false},
		{"same site post", "POST", "/logout", "same-site", "", true},
		{"cross site post", "POST", "/logout", "cross-site", "", true},
		{"cross site login", "POST", "/login", "cross-site", "", true},
		{"old browser, own origin", "POST", "/logout", "", "own", false},
		{"old browser, foreign origin", "POST", "/logout", "", "https://evil.test", true},
		{"opaque origin", "POST", "/logout", "", "null", true},
		{"no browser", "POST", "/logout", "", "", false},
		{"cross site get", "GET", "/healthz", "cross-site", "https://evil.test", false},
		{"cross site head", "HEAD", "/healthz", "cross-site", "https://evil.test", false},
		{"cross site put", "PUT", "/", "cross-site", "https://evil.test", true},
		{"cross site delete", "DELETE", "/", "cross-site", "", true},
		{"callback from a browser elsewhere", "POST", "/callbacks/hiretalents/" + callbackSecret, "cross-site", "https://evil.test", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := f.do(t, tt.method, tt.path, "", func(r *http.Request) {
				if tt.site != "" {
					r.Header.Set("Sec-Fetch-Site", tt.site)
				}
				if tt.origin == "own" {
					tt.origin = f.server.URL
				}
				if tt.origin != "" {
					r.Header.Set("Origin", tt.origin)
				}
			})
			if refused := got.StatusCode == http.StatusForbidden; refused != tt.refused {
				t.Errorf("status %d, want refused %t", got.StatusCode, tt.refused)
			}
		})
	}
}

func TestNoRouteWritesToTheJournal(t *testing.T) {
	t.Parallel()
	f := setup(t, withCallbacks(nil))
	f.seed(t, "text")
	before := f.redis.Dump()
	for _, route := range routes {
		f.do(t, route.method, route.path, "job_id=15356&event=job-finished", nil)
	}
	if diff := cmp.Diff(before, f.redis.Dump()); diff != "" {
		t.Errorf("a request changed the journal (-before +after):\n%s", diff)
	}
}

func TestAServerHasLimits(t *testing.T) {
	t.Parallel()
	s := console.Server("127.0.0.1:0", http.NotFoundHandler(), discard())
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 {
		t.Errorf("a client can hold the server up: %+v", s)
	}
	if s.MaxHeaderBytes != 16<<10 {
		t.Errorf("a header may have %d bytes, want 16 KiB", s.MaxHeaderBytes)
	}
}
