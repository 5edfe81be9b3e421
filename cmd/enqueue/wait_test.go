package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// watched is a buffer that calls found once it holds a text.
type watched struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	text  string
	found func()
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(b)
	if strings.Contains(w.buf.String(), w.text) {
		w.found()
	}
	return n, err
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

func TestWaitWithoutARunnerSaysSoAndLosesNothing(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	t.Cleanup(box.Close)
	redis := miniredis.RunT(t)
	spec := filepath.Join(t.TempDir(), "spec.yaml")
	if err := os.WriteFile(spec, starter, 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"HIRETALENTS_API_KEY": "a-key-for-tests", "HIRETALENTS_API_URL": server.URL + sandbox.BasePath,
		"REDIS_URL": "redis://" + redis.Addr(), "RUNNER_RATE_LIMIT": "off",
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs := &watched{text: "no runner is at work", found: cancel}
	var out bytes.Buffer
	code := run(ctx, []string{"apply", spec, "--yes", "--wait"}, strings.NewReader(""), &out, errs, func(name string) string { return env[name] })
	if code != exitFailed {
		t.Errorf("the exit code is %d, want %d", code, exitFailed)
	}
	if got := errs.String(); strings.Count(got, "no runner is at work") != 1 || !strings.Contains(got, "the work goes on") {
		t.Errorf("standard error has %q", got)
	}
	out.Reset()
	code = run(t.Context(), []string{"ops", "-o", "csv"}, strings.NewReader(""), &out, errs, func(name string) string { return env[name] })
	if code != 0 || strings.Count(out.String(), "queued") != 2 {
		t.Errorf("after the interruption (%d) the operations are:\n%s", code, out.String())
	}
}
