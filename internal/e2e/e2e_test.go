// Package e2e runs the built programs as a user would: a sandbox, a runner and
// enqueue as processes of their own, over each kind of Redis.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bin holds the built programs.
var bin string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "campaign-runner-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.Command("go", "build", "-o", dir+"/", "../../cmd/runner", "../../cmd/enqueue")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	bin = dir
	return m.Run()
}

// patience bounds every wait; it only ends a test that has failed anyway.
const patience = 3 * time.Minute

// process is one of the programs, running.
type process struct {
	cmd  *exec.Cmd
	log  *text
	done chan error
}

// text is what a program that still runs has written so far.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(b)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// start runs a program until the test ends, which stops it as a person would.
func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(filepath.Join(bin, name), args...), log: &text{}, done: make(chan error, 1)}
	p.cmd.Env = env
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	first := make(chan string, 1)
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		first <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r)
		p.done <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.stop(t) })
	if name == "runner" && args[0] == "sandbox" {
		select {
		case line := <-first:
			p.cmd.Args = append(p.cmd.Args, line)
		case <-time.After(patience):
			t.Fatalf("%s says nothing:\n%s", name, p.log)
		}
	}
	return p
}

// stop asks the program to end and demands that it does so cleanly.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("%s ended with %v:\n%s", p.cmd.Path, err, p.log)
		}
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		t.Errorf("%s did not end:\n%s", p.cmd.Path, p.log)
	}
}

// sandboxURL is the API address that a sandbox printed.
func (p *process) sandboxURL() string { return p.cmd.Args[len(p.cmd.Args)-1] }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enqueue runs a command and returns its output and exit code.
func enqueue(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "enqueue"), args...)
	cmd.Env = env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("enqueue %v did not end:\n%s%s", args, out.String(), errs.String())
	}
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// world is a sandbox and the settings of both programs for it.
type world struct {
	api string
	env []string
}

func newWorld(t *testing.T, extra ...string) world {
	t.Helper()
	sandbox := start(t, os.Environ(), "runner", "sandbox", "--listen", "127.0.0.1:0", "--time-scale", "3600")
	w := world{api: sandbox.sandboxURL()}
	w.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TZ=UTC",
		"HIRETALENTS_API_URL=" + w.api, "HIRETALENTS_API_KEY=" + canary, "RUNNER_RATE_LIMIT=off",
		"RUNNER_DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "RUNNER_LISTEN=127.0.0.1:0", "RUNNER_SETTLE_AFTER=1s",
	}, extra...)
	return w
}

// canary is a key that must appear nowhere.
const canary = "canary-5f1c0de-key"

func (w world) serve(t *testing.T) *process {
	t.Helper()
	p := start(t, w.env, "runner", "serve")
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case err := <-p.done:
			p.done <- err
			t.Fatalf("runner ended with %v:\n%s", err, p.log)
		default:
		}
		if w.ready(t) {
			return p
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("runner is not ready:\n%s", p.log)
	return nil
}

func (w world) setting(name string) string {
	for _, e := range w.env {
		if v, found := strings.CutPrefix(e, name+"="); found {
			return v
		}
	}
	return ""
}

func (w world) ready(t *testing.T) bool {
	t.Helper()
	addr, err := os.ReadFile(filepath.Join(w.setting("RUNNER_DATA_DIR"), "runner.addr"))
	if err != nil {
		return false
	}
	resp, err := http.Get("http://" + strings.TrimSpace(string(addr)) + "/readyz")
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK
}

// TestMainJob applies the example spec over each kind of Redis and compares the
// books with the marketplace's.
func TestMainJob(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]func(*testing.T) []string{
		"a redis-server of the operator's": func(t *testing.T) []string { return []string{"REDIS_URL=" + realRedis(t)} },
		"a redis-server over TLS":          tlsRedis,
		"a redis-server behind Sentinel":   func(t *testing.T) []string { return []string{"REDIS_URL=" + sentinelRedis(t).url} },
		"a Redis Cluster":                  func(t *testing.T) []string { return []string{"REDIS_URL=" + clusterRedis(t)} },
		"the private redis-server":         func(*testing.T) []string { return nil },
		"the in-process redis":             func(*testing.T) []string { return []string{"PATH=/nonexistent"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, extra(t)...)
			serve := w.serve(t)
			stdout, stderr, code := enqueue(t, w.env, "apply", "../../examples/campaigns.yaml", "--yes", "--wait", "-o", "json")
			if code != 0 {
				t.Fatalf("apply exits %d:\n%s%s\nrunner:\n%s", code, stdout, stderr, serve.log)
			}
			var sum struct {
				Campaigns  int            `json:"campaigns"`
				Operations map[string]int `json:"operations"`
				Cost       string         `json:"cost"`
			}
			must(t, json.Unmarshal([]byte(stdout), &sum))
			// 6 cities, 3 languages, 1 round and 3 interviews are created, 1 team is made.
			if sum.Campaigns != 4 || sum.Operations["applied"] < 13 || sum.Operations["parked"]+sum.Operations["rejected"] != 0 {
				t.Errorf("apply says %s", stdout)
			}
			audit, stderr, code := enqueue(t, w.env, "audit", "-o", "json")
			if code != 0 || !strings.Contains(audit, `"drift": "0"`) && !strings.Contains(audit, `"drift":"0"`) {
				t.Errorf("audit exits %d and says %s%s", code, audit, stderr)
			}
			serve.stop(t)
			if strings.Contains(serve.log.String()+stdout+stderr, canary) {
				t.Error("the key is in the output")
			}
		})
	}
}

// TestClearErrors demands one message that says what to do.
func TestClearErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spec := "../../examples/campaigns.yaml"
	t.Run("no runner and no REDIS_URL", func(t *testing.T) {
		_, stderr, code := enqueue(t, w.env, "status")
		if code != 1 || !strings.Contains(stderr, "runner serve") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	t.Run("Redis down", func(t *testing.T) {
		_, stderr, code := enqueue(t, append(w.env, "REDIS_URL=redis://127.0.0.1:1"), "status")
		if code != 1 || !strings.Contains(stderr, "127.0.0.1:1") || len(strings.Split(strings.TrimSpace(stderr), "\n")) != 1 {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	w.serve(t)
	t.Run("API down", func(t *testing.T) {
		_, stderr, code := enqueue(t, append(w.env, "HIRETALENTS_API_URL=http://127.0.0.1:1/api/v1"), "plan", spec)
		if code != 1 || !strings.Contains(stderr, "URL") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
	t.Run("key missing", func(t *testing.T) {
		_, stderr, code := enqueue(t, append(w.env, "HIRETALENTS_API_KEY="), "plan", spec)
		if code != 1 || !strings.Contains(stderr, "HIRETALENTS_API_KEY") {
			t.Errorf("exit %d: %s", code, stderr)
		}
	})
}
