package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	other := raw(t, func(_ int64, conn *net.TCPConn) bool { return reply(conn, "200 OK", jobDoneSample) })
	for status := 301; status <= 308; status++ {
		for _, to := range []string{other.URL + "/job/15341", "/elsewhere", "//localhost:1/x"} {
			m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, jobDoneSample)
			})
			c := client(t, api.Config{BaseURL: m.URL})
			for _, name := range []string{"PauseJob", "CreateJob", "Job"} {
				before := len(m.seen())
				err := calls[name](t.Context(), c)
				if err == nil || api.EffectOf(err) != api.EffectUnknown {
					t.Errorf("%d of %s: %v", status, name, err)
				}
				if n := len(m.seen()) - before; n != 1 {
					t.Errorf("%d of %s: %d requests, want 1", status, name, n)
				}
			}
		}
	}
	if n := other.accepted.Load(); n != 0 {
		t.Errorf("the other host saw %d connections", n)
	}
}

// send a request again. Not parallel: it sets the environment.
func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://trap.invalid:3128")
	}
	c := client(t, api.Config{BaseURL: "https://api.invalid/v1"})
	var dialed []string
	noDial := errors.New("no network in this test")
	c.DialWith(func(_ context.Context, _, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return nil, noDial
	})
	for _, name := range []string{"Me", "PauseJob"} {
		if err := calls[name](t.Context(), c); !errors.Is(err, noDial) || api.EffectOf(err) != api.EffectNotApplied {
			t.Errorf("error %v", err)
		}
	}
	if fmt.Sprint(dialed) != "[api.invalid:443 api.invalid:443]" {
		t.Errorf("dialed %v", dialed)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheKeyGoesToTheAPIAlone(t *testing.T) {
	t.Parallel()
	c := client(t, api.Config{BaseURL: "https://www.hiretalents.com/api/v1"})
	for url, want := range map[string]bool{
		"https://www.hiretalents.com/api/v1/me":       true,
		"https://www.hiretalents.com:443/elsewhere":   true,
		"https://WWW.HireTalents.com/api/v1/me":       true,
		"http://www.hiretalents.com/api/v1/me":        false,
		"http://www.hiretalents.com:443/api/v1/me":    false,
		"https://www.hiretalents.com:8443/api/v1/me":  false,
		"https://hiretalents.com/api/v1/me":           false,
		"https://a.www.hiretalents.com/api/v1/me":     false,
		"https://www.hiretalents.com.evil.test/me":    false,
		"https://www.hiretalents.com@evil.test/api":   false,
		"https://evil.test/https://hiretalents.com/x": false,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		//nolint:bodyclose // there is no answer
		_, _ = c.Authorize(req, roundTrip(func(r *http.Request) (*http.Response, error) {
			got = r.Header.Get("Authorization")
			return nil, io.EOF
		}))
		if (got == "Bearer "+secret) != want || !want && got != "" {
			t.Errorf("%s: the key goes out: %v, want %v", url, got != "", want)
		}
		if req.Header.Get("Authorization") != "" {
			t.Errorf("%s: the caller's request was changed", url)
		}
	}
}
