package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manyJobs buys so many jobs that a failover falls among them.
func manyJobs(t *testing.T, n int) string {
	t.Helper()
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprint("city", i)
	}
	spec := strings.Replace(twoJobs, "[A, B]", "["+strings.Join(items, ", ")+"]", 1)
	path := filepath.Join(t.TempDir(), "signs.yaml")
	must(t, os.WriteFile(path, []byte(spec), 0o600))
	return path
}

// TestAFailoverOfSentinel kills the master while jobs are bought. The runner finds
// the new one. Where that lacks a write, it says so and sends nothing until a
// person has recovered it; either way each job is bought once.
func TestAFailoverOfSentinel(t *testing.T) {
	t.Parallel()
	const n = 60
	redis := sentinelRedis(t)
	w, spec := newWorld(t, "REDIS_URL="+redis.url), manyJobs(t, n)
	for i, e := range w.env {
		if strings.HasPrefix(e, "RUNNER_RATE_LIMIT=") {
			w.env[i] = "RUNNER_RATE_LIMIT=30/s"
		}
	}
	w.env = append(w.env, "RUNNER_API_TIMEOUT=5s") // what was on its way is looked for sooner
	serve := w.serve(t)
	w.run(t, 0, "apply", spec, "--yes")
	until(t, "some jobs are bought", func() bool { return w.creates(t) >= n/6 })
	must(t, redis.master.cmd.Process.Kill())
	_ = redis.master.cmd.Wait()
	if got := w.creates(t); got >= n {
		t.Fatalf("all %d jobs were bought before the failover", got)
	}

	// Nobody answers for some seconds; then the new master does.
	var out, errs string
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		var code int
		if out, errs, code = enqueue(t, w.env, "status"); code == 0 && strings.Contains(out, "Redis lost writes") {
			w.run(t, 0, "recover", spec)
		}
		if code == 0 && w.creates(t) >= n {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d jobs are bought:\n%s%s\nrunner:\n%s", w.creates(t), n, out, errs, serve.log)
		}
	}
	w.run(t, 0, "apply", spec, "--yes", "--wait")
	if got := w.creates(t); got != n {
		t.Errorf("the marketplace received %d creates, want %d", got, n)
	}
	if audit := strings.ReplaceAll(w.run(t, 0, "audit", "-o", "json"), " ", ""); !strings.Contains(audit, `"drift":"0"`) {
		t.Errorf("the audit says %s", audit)
	}
}
