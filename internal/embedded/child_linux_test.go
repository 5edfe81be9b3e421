package embedded_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/embedded"
)

func TestRedisIsToldNoSecrets(t *testing.T) {
	t.Setenv("HIRETALENTS_API_KEY", "canary-key")
	s := start(t, embedded.Config{Dir: t.TempDir()})
	pid := pidOf(t, connect(t, s.URL()))
	for _, file := range []string{"environ", "cmdline"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "canary") {
			t.Errorf("%s of redis-server holds the API key", file)
		}
	}
}

func TestRedisDiesWithAKilledRunner(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	runner, addr := startHelper(t, t.TempDir())
	if !answers(t, addr) {
		t.Fatal("the helper's redis does not answer")
	}
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runner.Wait()
	eventually(t, "redis-server ends after its runner", func() bool { return !answers(t, addr) })
}

func TestCtrlCDoesNotReachRedis(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{Dir: t.TempDir()})
	pid := pidOf(t, connect(t, s.URL()))
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// pid (name) state parent group …
	_, rest, _ := strings.Cut(string(b), ") ")
	if fields := strings.Fields(rest); fields[2] != fmt.Sprint(pid) {
		t.Errorf("process group of redis-server = %s, want its own, %d", fields[2], pid)
	}
}
