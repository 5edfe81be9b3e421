package console_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/console"
)

// guess is a wrong token, which may be a right one of elsewhere.
const guess = "a-guess-7b1f0c"

// logsAll has a console log at every level, and fail wherever it can.
func logsAll(log *lockedBuffer, ready func(context.Context) error) func(*console.Config) {
	return func(cfg *console.Config) {
		withToken(cfg)
		withCallbacks(nil)(cfg)
		cfg.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
		cfg.Ready = ready
	}
}

func TestNoSecretIsLoggedOrShown(t *testing.T) {
	t.Parallel()
	panics := func(context.Context) error { panic("a fault of the workers") }
	fails := func(context.Context) error { return errors.New("a fault of the workers") }
	tests := []struct {
		name  string
		ready func(context.Context) error
		redis bool
	}{
		{"all is well", nil, true},
		{"the workers do not run", fails, true},
		{"readiness panics", panics, true},
		{"Redis is away", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := &lockedBuffer{}
			f := setup(t, logsAll(log, tt.ready))
			cookie := f.session(t)
			if !tt.redis {
				f.redis.Close()
			}
			shown := f.askEverything(t, cookie)
			if !strings.Contains(log.String(), "a login was refused") {
				t.Errorf("the log lacks the refused login:\n%s", log.String())
			}
			for name, secret := range map[string]string{
				"token": token, "callback secret": callbackSecret, "guessed token": guess, "session": cookie.Value,
			} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log holds the %s:\n%s", name, log.String())
				}
				if strings.Contains(shown, secret) {
					t.Errorf("an answer holds the %s", name)
				}
			}
		})
	}
}

// askEverything asks each route with right and wrong secrets in every place
// that takes one, and returns all that was answered.
func (f *fixture) askEverything(t *testing.T, cookie *http.Cookie) string {
	t.Helper()
	var shown strings.Builder
	keep := func(a answer) {
		shown.WriteString(a.body)
		for name, values := range a.Header {
			if name != "Set-Cookie" {
				shown.WriteString(strings.Join(values, "\n"))
			}
		}
	}
	keep(f.logIn(t, guess))
	keep(f.logIn(t, token))
	for _, change := range []func(*http.Request){
		bearer(token), bearer(guess), fromProxy, func(r *http.Request) { r.AddCookie(cookie) },
	} {
		for _, route := range routes {
			if route.path != "/logout" {
				keep(f.do(t, route.method, route.path, "event=job-finished&job_id=1", change))
			}
		}
	}
	keep(f.do(t, "POST", callbackPath, "event=job-finished&job_id=1", func(r *http.Request) { r.Host = "evil.test" }))
	return shown.String()
}

func TestGuessesCountForTheirSource(t *testing.T) {
	t.Parallel()
	const wrong, right = http.StatusUnauthorized, http.StatusSeeOther
	tests := []struct {
		name, from, then string
		want             int
	}{
		{"the same address", "203.0.113.9:1", "203.0.113.9:2", http.StatusTooManyRequests},
		{"another address", "203.0.113.9:1", "203.0.113.10:1", right},
		{"the same network of IPv6", "[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::2]:1", http.StatusTooManyRequests},
		{"another network of IPv6", "[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", right},
		{"the same address, mapped", "203.0.113.9:1", "[::ffff:203.0.113.9]:1", http.StatusTooManyRequests},
		{"addresses that cannot be read are one", "pipe", "socket", http.StatusTooManyRequests},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, withToken)
			for i := range 5 {
				if got := f.logInFrom(t, tt.from, guess); got != wrong {
					t.Fatalf("guess %d: got %d, want %d", i+1, got, wrong)
				}
			}
			if got := f.logInFrom(t, tt.then, token); got != tt.want {
				t.Errorf("the right token then: got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestManySourcesTogetherAreLockedOut(t *testing.T) {
	t.Parallel()
	for guesses, want := range map[int]int{99: http.StatusSeeOther, 100: http.StatusTooManyRequests} {
		f := setup(t, withToken)
		for i := range guesses {
			if got := f.logInFrom(t, fmt.Sprintf("198.51.100.%d:1", i), guess); got != http.StatusUnauthorized {
				t.Fatalf("guess %d: got %d, want 401", i+1, got)
			}
		}
		if got := f.logInFrom(t, "203.0.113.9:1", token); got != want {
			t.Errorf("the right token after %d guesses of others: got %d, want %d", guesses, got, want)
		}
	}
}

// logInFrom is the status of a login from a peer.
func (f *fixture) logInFrom(t *testing.T, peer, text string) int {
	t.Helper()
	form := url.Values{"token": {text}}.Encode()
	r := httptest.NewRequestWithContext(localContext(t, "192.0.2.7:8080"), http.MethodPost, "/login", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Host, r.RemoteAddr = "192.0.2.7:8080", peer
	w := httptest.NewRecorder()
	f.server.Config.Handler.ServeHTTP(w, r)
	return w.Code
}
