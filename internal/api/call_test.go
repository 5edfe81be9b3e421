package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// calls is each method once, for claims that hold for all of them.
var calls = map[string]func(context.Context, *api.Client) error{
	"Me":         func(ctx context.Context, c *api.Client) error { _, err := c.Me(ctx); return err },
	"Job":        func(ctx context.Context, c *api.Client) error { _, err := c.Job(ctx, 1); return err },
	"Jobs":       func(ctx context.Context, c *api.Client) error { _, err := c.Jobs(ctx, api.JobsAll, 1); return err },
	"Countries":  func(ctx context.Context, c *api.Client) error { _, err := c.Countries(ctx); return err },
	"Categories": func(ctx context.Context, c *api.Client) error { _, err := c.Categories(ctx); return err },
	"Teams":      func(ctx context.Context, c *api.Client) error { _, err := c.Teams(ctx); return err },
	"CreateTeam": func(ctx context.Context, c *api.Client) error { _, err := c.CreateTeam(ctx, "a"); return err },
	"UpdateTeam": func(ctx context.Context, c *api.Client) error { _, err := c.UpdateTeam(ctx, 1, "a"); return err },
	"DeleteTeam": func(ctx context.Context, c *api.Client) error { return c.DeleteTeam(ctx, 1) },
	"TeamMembers": func(ctx context.Context, c *api.Client) error {
		_, err := c.TeamMembers(ctx, 1)
		return err
	},
	"AddTeamMember":    func(ctx context.Context, c *api.Client) error { return c.AddTeamMember(ctx, 1, 2, "a") },
	"DeleteTeamMember": func(ctx context.Context, c *api.Client) error { return c.DeleteTeamMember(ctx, 1, 2) },
	"Quote":            func(ctx context.Context, c *api.Client) error { _, err := c.Quote(ctx, newJob()); return err },
	"CreateJob":        func(ctx context.Context, c *api.Client) error { _, err := c.CreateJob(ctx, newJob()); return err },
	"UpdateJob": func(ctx context.Context, c *api.Client) error {
		return c.UpdateJob(ctx, 1, api.JobChange{Title: ptr("a")})
	},
	"AddSeats": func(ctx context.Context, c *api.Client) error { _, err := c.AddSeats(ctx, 1, 1); return err },
	"PauseJob": func(ctx context.Context, c *api.Client) error { return c.PauseJob(ctx, 1) },
	"ResumeJob": func(ctx context.Context, c *api.Client) error {
		_, err := c.ResumeJob(ctx, 1, api.ResumeRequest{Seats: 1})
		return err
	},
	"RestartJob": func(ctx context.Context, c *api.Client) error { return c.RestartJob(ctx, 1) },
	"Applications": func(ctx context.Context, c *api.Client) error {
		_, err := c.Applications(ctx, 1, api.AnyStatus, 1)
		return err
	},
	"Application": func(ctx context.Context, c *api.Client) error { _, err := c.Application(ctx, 1); return err },
	"Rate": func(ctx context.Context, c *api.Client) error {
		return c.Rate(ctx, 1, api.Rating{Status: api.Approved})
	},
}

func each(t *testing.T, claim func(t *testing.T, call func(context.Context, *api.Client) error)) {
	t.Helper()
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claim(t, call)
		})
	}
}

func TestEveryCallWaitsForLeaveUnlessItHasAPermit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, call func(context.Context, *api.Client) error) {
		m := answer(t, http.StatusForbidden, `{"message":"no"}`)
		var waited atomic.Int64
		c := client(t, api.Config{BaseURL: m.URL, Wait: func(context.Context) error { waited.Add(1); return nil }})
		ctx := api.WithPermit(t.Context())
		for i, want := range []int64{0, 1, 2} {
			if err := call(ctx, c); api.EffectOf(err) != api.EffectRejected || api.ReasonOf(err) != api.ReasonRefused {
				t.Fatalf("error %v", err)
			}
			if got := waited.Load(); got != want {
				t.Errorf("after call %d waited %d times, want %d", i+1, got, want)
			}
		}
	})
}

func TestWithoutLeaveNothingIsSent(t *testing.T) {
	t.Parallel()
	broken := errors.New("the limit is out of reach")
	each(t, func(t *testing.T, call func(context.Context, *api.Client) error) {
		m := answer(t, http.StatusOK, `{}`)
		err := call(t.Context(), client(t, api.Config{BaseURL: m.URL, Wait: func(context.Context) error { return broken }}))
		if api.EffectOf(err) != api.EffectNotApplied || api.ReasonOf(err) != api.ReasonHeld || !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		if n := len(m.seen()); n != 0 {
			t.Errorf("%d requests were made", n)
		}
	})
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	each(t, func(t *testing.T, call func(context.Context, *api.Client) error) {
		m := answer(t, http.StatusOK, `{}`)
		for _, ctx := range []context.Context{ctx, api.WithPermit(ctx)} {
			err := call(ctx, client(t, api.Config{BaseURL: m.URL}))
			if api.EffectOf(err) != api.EffectNotApplied || api.ReasonOf(err) != api.ReasonCanceled ||
				!errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		}
		if n := len(m.seen()); n != 0 {
			t.Errorf("%d requests were made", n)
		}
	})
}

// A process that slept while it waited for leave must not send when it wakes.
func TestACallThatIsLateSendsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, call func(context.Context, *api.Client) error) {
		m := answer(t, http.StatusOK, `{}`)
		now := noon
		c := client(t, api.Config{BaseURL: m.URL, Now: func() time.Time { return now },
			Wait: func(context.Context) error { now = now.Add(time.Hour); return nil }})
		err := call(api.SendBefore(t.Context(), noon.Add(time.Minute)), c)
		if api.EffectOf(err) != api.EffectNotApplied || api.ReasonOf(err) != api.ReasonDeadline {
			t.Errorf("error %v", err)
		}
		if n := len(m.seen()); n != 0 {
			t.Errorf("%d requests were made", n)
		}
	})
}

func TestEveryCallIsObserved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, call func(context.Context, *api.Client) error) {
		m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		now := noon
		var got []api.Exchange
		c := client(t, api.Config{BaseURL: m.URL, Observe: func(x api.Exchange) { got = append(got, x) },
			Now: func() time.Time { now = now.Add(time.Second); return now }})
		err := call(t.Context(), c)
		var failed *api.Error
		if !errors.As(err, &failed) || failed.RetryAfter != 7*time.Second || len(got) != 1 {
			t.Fatalf("error %v, observed %v", err, got)
		}
		if got[0].Duration <= 0 || strings.ContainsAny(got[0].Route, "0123456789") {
			t.Errorf("observed %+v", got[0])
		}
		got[0].Duration = 0
		want := api.Exchange{Method: failed.Method, Route: failed.Route, Status: 429, Effect: api.EffectNotApplied,
			Reason: api.ReasonRateLimited, RetryAfter: 7 * time.Second}
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestASuccessIsObserved(t *testing.T) {
	t.Parallel()
	m := answer(t, http.StatusOK, jobDoneSample)
	var got []api.Exchange
	c := client(t, api.Config{BaseURL: m.URL, Now: func() time.Time { return noon },
		Observe: func(x api.Exchange) { got = append(got, x) }})
	if err := c.PauseJob(t.Context(), 15341); err != nil {
		t.Fatal(err)
	}
	want := []api.Exchange{{Method: "POST", Route: "/job/{id}/pause", Status: 200}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
