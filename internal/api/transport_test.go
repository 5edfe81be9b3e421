package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func onItsWay(r *http.Request) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
}

func TestATransportOfOnesOwnIsHeldToTheSameRules(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		before time.Time
		answer transport
		want   api.Effect
		calls  int
	}{
		"an error before the connection was not applied": {noon.Add(time.Second), func(*http.Request) (*http.Response, error) {
			return nil, broken
		}, api.EffectNotApplied, 1},
		"an error after it may have been": {noon.Add(time.Second), func(r *http.Request) (*http.Response, error) {
			onItsWay(r)
			return nil, broken
		}, api.EffectUnknown, 1},
		"a refusal is one": {noon.Add(time.Second), func(r *http.Request) (*http.Response, error) {
			onItsWay(r)
			return &http.Response{StatusCode: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(`{"message":"no"}`))}, nil
		}, api.EffectRejected, 1},
		"past SendBefore nothing leaves": {noon, func(*http.Request) (*http.Response, error) {
			return nil, broken
		}, api.EffectNotApplied, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := api.NewKey("secret-key")
			if err != nil {
				t.Fatal(err)
			}
			calls := 0
			client, err := api.New(api.Config{
				BaseURL: "http://127.0.0.1/api/v1", Key: key, Now: func() time.Time { return noon },
				Transport: transport(func(r *http.Request) (*http.Response, error) {
					calls++
					if got := r.Header.Get("Authorization"); got != "Bearer secret-key" {
						t.Errorf("the key is not sent: %q", got)
					}
					return c.answer(r)
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			err = client.PauseJob(api.SendBefore(context.Background(), c.before), 1)
			if got := api.EffectOf(err); got != c.want || calls != c.calls {
				t.Errorf("%v: effect %v after %d calls, want %v after %d", err, got, calls, c.want, c.calls)
			}
		})
	}
}
