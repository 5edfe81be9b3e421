package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/console"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// logIn posts a token and returns the answer.
func (f *fixture) logIn(t *testing.T, text string, cookies ...*http.Cookie) answer {
	t.Helper()
	form := url.Values{"token": {text}}.Encode()
	return f.do(t, http.MethodPost, "/login", form, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
	})
}

// session logs in and returns the session's cookie.
func (f *fixture) session(t *testing.T) *http.Cookie {
	t.Helper()
	got := f.logIn(t, token)
	if got.StatusCode != http.StatusSeeOther || len(got.Cookies()) != 1 {
		t.Fatalf("login: %d with %d cookies", got.StatusCode, len(got.Cookies()))
	}
	return got.Cookies()[0]
}

func (f *fixture) status(t *testing.T, path string, c *http.Cookie) int {
	t.Helper()
	return f.do(t, http.MethodGet, path, "", func(r *http.Request) { r.AddCookie(c) }).StatusCode
}

func TestWhoMayReadWhat(t *testing.T) {
	t.Parallel()
	f := setup(t, withToken)
	f.seed(t, "text")
	nothing := func(*http.Request) {}
	both := func(r *http.Request) { fromProxy(r); bearer(token)(r) }
	tests := []struct {
		name, path string
		change     func(*http.Request)
		want       int
	}{
		{"page without a token", "/", nothing, 401},
		{"page with the token", "/", bearer(token), 200},
		{"operation without a token", "/op/" + madeID, nothing, 401},
		{"operation with the token", "/op/" + madeID, bearer(token), 200},
		{"the login form", "/login", nothing, 200},
		{"its style", "/style.css", nothing, 200},
		{"health from anywhere", "/healthz", fromProxy, 200},
		{"readiness from this machine", "/readyz", nothing, 200},
		{"readiness from elsewhere", "/readyz", fromProxy, 401},
		{"readiness from elsewhere with the token", "/readyz", both, 200},
		{"metrics from this machine", "/metrics", nothing, 200},
		{"metrics from elsewhere", "/metrics", fromProxy, 401},
		{"metrics from elsewhere with the token", "/metrics", both, 200},
		{"a token of another scheme", "/", func(r *http.Request) { r.SetBasicAuth("x", token) }, 401},
		{"a session that nobody opened", "/", func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: "campaign-runner", Value: token})
		}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := f.do(t, http.MethodGet, tt.path, "", tt.change)
			if got.StatusCode != tt.want {
				t.Errorf("got %d, want %d", got.StatusCode, tt.want)
			}
			if tt.want == 401 && strings.Contains(got.body, "signs") {
				t.Error("the refusal tells of a campaign")
			}
		})
	}
}

func TestAPersonLogsInAndOut(t *testing.T) {
	t.Parallel()
	f := setup(t, withToken)
	c := f.session(t)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
		t.Errorf("the cookie over plain HTTP is %s", c)
	}
	if got := f.status(t, "/", c); got != http.StatusOK {
		t.Fatalf("with a session: %d, want 200", got)
	}
	second := f.logIn(t, token, c).Cookies()[0]
	if second.Value == c.Value || f.status(t, "/", c) != http.StatusUnauthorized {
		t.Error("a login keeps the old session")
	}
	out := f.do(t, http.MethodPost, "/logout", "", func(r *http.Request) { r.AddCookie(second) })
	if out.StatusCode != http.StatusSeeOther || out.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logout: %d, cookie %s", out.StatusCode, out.Cookies()[0])
	}
	if got := f.status(t, "/", second); got != http.StatusUnauthorized {
		t.Errorf("after logout: %d, want 401", got)
	}
}

func TestOverTLSTheCookieIsBoundToTheHost(t *testing.T) {
	t.Parallel()
	f := setup(t, withToken)
	handler := f.server.Config.Handler
	f.server = newTLSServer(t, handler)
	c := f.session(t)
	if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Domain != "" || c.Path != "/" {
		t.Errorf("the cookie over TLS is %s", c)
	}
	if got := f.status(t, "/", c); got != http.StatusOK {
		t.Errorf("with a session: %d, want 200", got)
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	t.Run("when nobody asks for half an hour", func(t *testing.T) {
		t.Parallel()
		f := setup(t, withToken)
		c := f.session(t)
		f.clock.advance(29 * time.Minute)
		if got := f.status(t, "/", c); got != http.StatusOK {
			t.Fatalf("after 29 minutes: %d", got)
		}
		f.clock.advance(30 * time.Minute)
		if got := f.status(t, "/", c); got != http.StatusUnauthorized {
			t.Errorf("after 30 idle minutes: %d, want 401", got)
		}
	})
	t.Run("after half a day in any case", func(t *testing.T) {
		t.Parallel()
		f := setup(t, withToken)
		c := f.session(t)
		for range 35 {
			f.clock.advance(20 * time.Minute)
			if got := f.status(t, "/", c); got != http.StatusOK {
				t.Fatalf("at %s: %d", f.clock.now().Sub(noon), got)
			}
		}
		f.clock.advance(20 * time.Minute)
		if got := f.status(t, "/", c); got != http.StatusUnauthorized {
			t.Errorf("after 12 hours: %d, want 401", got)
		}
	})
}

func TestWrongTokensLockTheirSourceOut(t *testing.T) {
	t.Parallel()
	f := setup(t, withToken)
	open := f.session(t)
	for i, text := range []string{"", "x", token + "x", strings.ToUpper(token), "five"} {
		if got := f.logIn(t, text); got.StatusCode != http.StatusUnauthorized || len(got.Cookies()) != 0 {
			t.Errorf("guess %d: %d with %d cookies, want 401 with none", i+1, got.StatusCode, len(got.Cookies()))
		}
	}
	if got := f.logIn(t, token); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("the right token after five wrong ones: %d, want 429", got.StatusCode)
	}
	if got := f.do(t, http.MethodGet, "/", "", bearer(token)); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("as a bearer: %d, want 429", got.StatusCode)
	}
	if got := f.status(t, "/", open); got != http.StatusOK {
		t.Errorf("an open session: %d, want 200", got)
	}
	f.clock.advance(time.Minute)
	if got := f.logIn(t, token); got.StatusCode != http.StatusSeeOther {
		t.Errorf("a minute later: %d, want 303", got.StatusCode)
	}
	if strings.Contains(f.log.String(), token) {
		t.Error("the log holds the token")
	}
}

func TestAFormThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	f := setup(t, withToken)
	if got := f.logIn(t, strings.Repeat("x", 5<<10)); got.StatusCode != http.StatusBadRequest {
		t.Errorf("got %d, want 400", got.StatusCode)
	}
}

func TestWithoutATokenOnlyLoopbackIsServed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		addr, path string
		set        settings.Secret
		want       int
	}{
		"the page on loopback":             {"127.0.0.1:8080", "/", settings.Secret{}, 200},
		"the page on another address":      {"192.0.2.7:8080", "/", settings.Secret{}, 403},
		"metrics on another address":       {"192.0.2.7:8080", "/metrics", settings.Secret{}, 403},
		"health on another address":        {"192.0.2.7:8080", "/healthz", settings.Secret{}, 200},
		"the page there, token set":        {"192.0.2.7:8080", "/", settings.NewSecret(token), 401},
		"the page on an unknown address":   {"", "/", settings.Secret{}, 421},
		"the login page without any token": {"127.0.0.1:8080", "/login", settings.Secret{}, 303},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, func(cfg *console.Config) { cfg.Token = tt.set })
			if got := f.through(t, tt.addr, tt.path); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
