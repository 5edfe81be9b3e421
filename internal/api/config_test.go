package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func TestNewChecksItsConfig(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		cfg  api.Config
		want string // in the error; "" for none
	}{
		{"the default address", api.Config{}, ""},
		{"https", api.Config{BaseURL: "https://api.example.com/v1/"}, ""},
		{"http to 127.0.0.1", api.Config{BaseURL: "http://127.0.0.1:8080/api/v1"}, ""},
		{"http to 127.9.9.9", api.Config{BaseURL: "http://127.9.9.9"}, ""},
		{"http to ::1", api.Config{BaseURL: "http://[::1]:8080"}, ""},
		{"http to localhost", api.Config{BaseURL: "http://LocalHost:8080"}, ""},
		{"http to elsewhere", api.Config{BaseURL: "http://www.hiretalents.com/api/v1"}, "loopback"},
		{"http to a name that begins like loopback", api.Config{BaseURL: "http://127.0.0.1.evil.test"}, "loopback"},
		{"http to every address", api.Config{BaseURL: "http://0.0.0.0"}, "loopback"},
		{"another scheme", api.Config{BaseURL: "ftp://127.0.0.1"}, "https"},
		{"no scheme", api.Config{BaseURL: "www.hiretalents.com/api/v1"}, "no host"},
		{"no host", api.Config{BaseURL: "https:///api"}, "no host"},
		{"a user", api.Config{BaseURL: "https://me:canary@api.example.com"}, "no user"},
		{"a query", api.Config{BaseURL: "https://api.example.com?key=canary"}, "no user, query"},
		{"an empty query", api.Config{BaseURL: "https://api.example.com?"}, "no user, query"},
		{"a fragment", api.Config{BaseURL: "https://api.example.com#canary"}, "no user, query"},
		{"no URL", api.Config{BaseURL: "https://a b/canary"}, "not a URL"},
		{"a negative timeout", api.Config{Timeout: -time.Second}, "-1s"},
		{"another path to delete teams", api.Config{DeleteTeamPath: "/teams/update"}, ""},
		{"a relative path to delete teams", api.Config{DeleteTeamPath: "teams/update"}, "/teams/delete"},
		{"another host to delete teams", api.Config{DeleteTeamPath: "//evil.test/teams"}, "/teams/delete"},
		{"a query to delete teams", api.Config{DeleteTeamPath: "/teams?x=1"}, "/teams/delete"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.cfg.Key = key(t)
			_, err := api.New(row.cfg)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("error %v, want %q", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells what may be a secret: %v", err)
			}
		})
	}
}

func TestNewNeedsAKey(t *testing.T) {
	t.Parallel()
	if _, err := api.New(api.Config{}); err == nil || !strings.Contains(err.Error(), "HIRETALENTS_API_KEY") {
		t.Errorf("error %v", err)
	}
}
