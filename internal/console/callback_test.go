package console_test

import (
	"bytes"
	"context"
	"log/slog"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/console"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

const (
	callbackSecret = "9f2c81d0b7a64e53"
	callbackPath   = "/callbacks/hiretalents/" + callbackSecret
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// hints gathers what was handed on.
type hints struct {
	mu  sync.Mutex
	all []console.Hint
}

func (h *hints) take(_ context.Context, hint console.Hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, hint)
}

func withCallbacks(h *hints) func(*console.Config) {
	if h == nil {
		h = &hints{}
	}
	return func(cfg *console.Config) {
		cfg.CallbackSecret = settings.NewSecret(callbackSecret)
		cfg.OnCallback = h.take
	}
}

func TestCallbacksAreReadInAnyEncoding(t *testing.T) {
	t.Parallel()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	must(t, w.WriteField("event", "new-application"))
	must(t, w.WriteField("job_id", "15356"))
	must(t, w.WriteField("application_id", "501141"))
	must(t, w.Close())
	const (
		asForm = "application/x-www-form-urlencoded"
		asJSON = "application/json"
	)
	application := []console.Hint{{Event: "new-application", JobID: 15356, ApplicationID: 501141}}
	finished := []console.Hint{{Event: "job-finished", JobID: 15356}}
	tests := []struct {
		name, kind, body string
		want             []console.Hint
	}{
		{"form", asForm, "event=new-application&job_id=15356&application_id=501141", application},
		{"form without an application", asForm, "job_id=15356&event=job-finished", finished},
		{"form with no content type", "", "job_id=15356&event=job-finished", finished},
		{"multipart form", w.FormDataContentType(), form.String(), application},
		{"json numbers", asJSON, `{"event":"new-application","job_id":15356,"application_id":501141}`, application},
		{"json texts", asJSON, `{"event":"job-finished","job_id":"15356","application_id":null}`, finished},
		{"json sent as a form", asForm, `{"event":"job-finished","job_id":15356}`, finished},
		{"no job", asForm, "event=job-finished", nil},
		{"no event", asForm, "job_id=15356", nil},
		{"a job that is no number", asForm, "event=job-finished&job_id=abc", nil},
		{"a negative job", asForm, "event=job-finished&job_id=-1", nil},
		{"an event with markup", asForm, "event=%3Cb%3E&job_id=1", nil},
		{"json that is cut", asJSON, `{"event":"job-fin`, nil},
		{"multipart without a boundary", "multipart/form-data", "x", nil},
		{"nothing", asForm, "", nil},
		{"more than 4 KiB", asForm, "event=job-finished&job_id=1&x=" + strings.Repeat("y", 4<<10), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := &hints{}
			f := setup(t, withCallbacks(got))
			resp := f.do(t, http.MethodPost, callbackPath, tt.body, func(r *http.Request) {
				r.Header.Set("Content-Type", tt.kind)
			})
			if resp.StatusCode != http.StatusNoContent || resp.body != "" {
				t.Errorf("got %d %q, want a bare 204", resp.StatusCode, resp.body)
			}
			if diff := cmp.Diff(tt.want, got.all); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWrongSecretIsAnsweredAsTheRightOne(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path string
		change             func(*console.Config)
		want               int
	}{
		{"right", "POST", callbackPath, withCallbacks(nil), 204},
		{"wrong", "POST", callbackPath + "x", withCallbacks(nil), 204},
		{"a prefix", "POST", callbackPath[:len(callbackPath)-1], withCallbacks(nil), 204},
		{"empty", "POST", "/callbacks/hiretalents/", withCallbacks(nil), 404},
		{"a path below", "POST", callbackPath + "/more", withCallbacks(nil), 404},
		{"no secret is set", "POST", callbackPath, func(cfg *console.Config) { cfg.OnCallback = (&hints{}).take }, 404},
		{"nobody listens", "POST", callbackPath, func(cfg *console.Config) {
			cfg.CallbackSecret = settings.NewSecret(callbackSecret)
		}, 404},
		{"a get", "GET", callbackPath, withCallbacks(nil), 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := &hints{}
			f := setup(t, func(cfg *console.Config) {
				tt.change(cfg)
				if cfg.OnCallback != nil {
					cfg.OnCallback = got.take
				}
			})
			if resp := f.do(t, tt.method, tt.path, "event=job-finished&job_id=1", nil); resp.StatusCode != tt.want || (resp.body != "" && tt.want == 204) {
				t.Errorf("got %d %q, want %d", resp.StatusCode, resp.body, tt.want)
			}
			if taken := len(got.all) == 1; taken != (tt.name == "right") {
				t.Errorf("%d hints were taken", len(got.all))
			}
		})
	}
}

func TestTooManyCallbacksAreAnsweredAndDropped(t *testing.T) {
	t.Parallel()
	got := &hints{}
	f := setup(t, withCallbacks(got))
	for range 130 {
		resp := f.do(t, http.MethodPost, callbackPath, "event=job-finished&job_id=1", nil)
		if resp.StatusCode != http.StatusNoContent {
			t.Fatalf("got %d, want 204", resp.StatusCode)
		}
	}
	if len(got.all) != 100 {
		t.Errorf("%d hints were handed on, want 100", len(got.all))
	}
}

func TestTheCallbackSecretIsNeverLogged(t *testing.T) {
	t.Parallel()
	f := setup(t, func(cfg *console.Config) {
		cfg.CallbackSecret = settings.NewSecret(callbackSecret)
		cfg.OnCallback = func(context.Context, console.Hint) { panic("a listener's fault") }
	})
	resp := f.do(t, http.MethodPost, callbackPath, "event=job-finished&job_id=1", nil)
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("got %d, want 500", resp.StatusCode)
	}
	log := f.log.String()
	if !strings.Contains(log, "a listener's fault") || strings.Contains(log, callbackSecret) {
		t.Errorf("the log lacks the cause or holds the secret:\n%s", log)
	}
}
