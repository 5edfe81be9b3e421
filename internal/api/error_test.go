package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status int
		header [2]string
		want   string
	}{
		{401, [2]string{}, "POST /job/{id}/pause: the API does not accept the key, check HIRETALENTS_API_KEY (status 401): no"},
		{422, [2]string{}, "POST /job/{id}/pause: the API refused it (status 422): no"},
		{429, [2]string{"Retry-After", "7"}, "POST /job/{id}/pause: the API asks for fewer requests (status 429), retry after 7s: no"},
		{302, [2]string{"Location", "https://hiretalents.com/x?y"}, `POST /job/{id}/pause: the API redirects, set the API URL to the final address if you trust it (status 302): to https host "hiretalents.com"`},
	} {
		m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if row.header[0] != "" {
				w.Header().Set(row.header[0], row.header[1])
			}
			w.WriteHeader(row.status)
			_, _ = w.Write([]byte(`{"message":"no"}`))
		})
		err := client(t, api.Config{BaseURL: m.URL}).PauseJob(t.Context(), 1)
		if err == nil || err.Error() != row.want {
			t.Errorf("%v\nwant %s", err, row.want)
		}
	}
}

func TestEffectOfOtherErrorsIsUnknown(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("x"), context.Canceled} {
		if got := api.EffectOf(err); got != api.EffectUnknown {
			t.Errorf("%v is %s", err, got)
		}
		if got := api.ReasonOf(err); got != "" {
			t.Errorf("%v is %q", err, got)
		}
	}
}

func TestTheWordsOfStatuses(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		api.JobOnline.String(): "online", api.JobFinished.String(): "finished", api.JobStatus(2).String(): "status 2",
		api.AnyStatus.String(): "any", api.Declined.String(): "declined", api.Reported.String(): "reported",
		api.Approved.String(): "approved", api.Pending.String(): "pending", api.NotCompleted.String(): "not completed",
		api.ApplicationStatus(6).String(): "status 6", api.ApplicationStatus(-1).String(): "status -1",
		api.EffectUnknown.String(): "unknown", api.EffectNotApplied.String(): "not applied",
		api.EffectRejected.String(): "rejected", api.Effect(7).String(): "effect 7",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
