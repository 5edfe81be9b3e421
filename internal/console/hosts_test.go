package console_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/console"
)

func TestOnlyKnownHostsAreServed(t *testing.T) {
	t.Parallel()
	f := setup(t, func(cfg *console.Config) {
		cfg.Hosts = []string{"runner.internal", "proxied.example:8443", "127.0.0.1", ""}
	})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(f.server.URL, "http://"))
	must(t, err)
	tests := []struct {
		host string
		want int
	}{
		{"127.0.0.1:" + port, 200},
		{"localhost:" + port, 200},
		{"LOCALHOST:" + port, 200},
		{"[::1]:" + port, 200},
		{"127.0.0.2:" + port, 200},
		{"runner.internal", 200},
		{"runner.internal:80", 200},
		{"proxied.example:8443", 200},
		{"proxied.example", 421},
		{"evil.test", 421},
		{"evil.test:" + port, 421},
		{"127.0.0.1.evil.test:" + port, 421},
		{"localhost.evil.test:" + port, 421},
		{"evil.localhost:" + port, 421},
		{"127.0.0.1:1", 421},
		{"127.0.0.1", 421},
		{"localhost", 421},
		{"0.0.0.0:" + port, 421},
		{"192.0.2.7:" + port, 421},
		{"2130706433:" + port, 421},
		{"localhost:" + port + ":80", 421},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			t.Parallel()
			got := f.do(t, http.MethodGet, "/healthz", "", func(r *http.Request) { r.Host = tt.host })
			if got.StatusCode != tt.want {
				t.Errorf("Host %s: got %d, want %d", tt.host, got.StatusCode, tt.want)
			}
		})
	}
}

// TestEveryRouteRefusesAForeignHost knows one exception: the marketplace sends
// callbacks to the name of the proxy, whatever that is.
func TestEveryRouteRefusesAForeignHost(t *testing.T) {
	t.Parallel()
	f := setup(t, withCallbacks(nil))
	for _, route := range routes {
		t.Run(route.method+" "+route.path, func(t *testing.T) {
			t.Parallel()
			want := http.StatusMisdirectedRequest
			if strings.HasPrefix(route.path, "/callbacks/") {
				want = http.StatusNoContent
			}
			got := f.do(t, route.method, route.path, "", func(r *http.Request) { r.Host = "evil.test" })
			if got.StatusCode != want {
				t.Errorf("got %d, want %d", got.StatusCode, want)
			}
		})
	}
}
