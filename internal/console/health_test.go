package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/console"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	fault := errors.New("they are \u202egone")
	tests := []struct {
		name     string
		workers  error
		api      func() (string, error)
		redis    bool
		want     int
		wantBody map[string]string
	}{
		{"all is well", nil, func() (string, error) { return "ok", nil }, true, 200,
			map[string]string{"redis": "ok", "workers": "ok", "api": "ok"}},
		{"an API that is away does not make it fail", nil, func() (string, error) { return "", fault }, true, 200,
			map[string]string{"redis": "ok", "workers": "ok", "api": `they are \u202egone`}},
		{"an API that was not asked", nil, nil, true, 200,
			map[string]string{"redis": "ok", "workers": "ok", "api": "unknown"}},
		{"workers that do not run", fault, nil, true, 503,
			map[string]string{"redis": "ok", "workers": `they are \u202egone`, "api": "unknown"}},
		{"a Redis that does not answer", nil, nil, false, 503,
			map[string]string{"workers": "ok", "api": "unknown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, func(cfg *console.Config) {
				cfg.Ready = func(context.Context) error { return tt.workers }
				cfg.API = tt.api
			})
			if !tt.redis {
				f.redis.Close()
			}
			got := f.get(t, "/readyz")
			if got.StatusCode != tt.want {
				t.Errorf("got %d, want %d", got.StatusCode, tt.want)
			}
			var body map[string]string
			must(t, json.Unmarshal([]byte(got.body), &body))
			if !tt.redis {
				if body["redis"] == "ok" || body["redis"] == "" {
					t.Errorf("redis is %q", body["redis"])
				}
				delete(body, "redis")
			}
			if diff := cmp.Diff(tt.wantBody, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the process lives without Redis", func(t *testing.T) {
		t.Parallel()
		f := setup(t, nil)
		f.redis.Close()
		if got := f.get(t, "/healthz"); got.StatusCode != 200 || got.body != "ok\n" {
			t.Errorf("got %d %q, want 200 ok", got.StatusCode, got.body)
		}
	})
}
