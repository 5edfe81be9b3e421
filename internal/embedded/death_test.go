package embedded_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/redis/go-redis/v9"
)

// pidOf asks a redis-server for its process id.
func pidOf(t *testing.T, c redis.UniversalClient) int {
	t.Helper()
	info, err := c.Info(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`process_id:(\d+)`).FindStringSubmatch(info)
	if m == nil {
		t.Fatalf("no process_id in %q", info)
	}
	pid, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// answers reports whether anyone listens at the address.
func answers(t *testing.T, addr string) bool {
	t.Helper()
	u, err := url.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", u.Path)
	return err == nil && conn.Close() == nil
}

func TestKilledRunnerLeavesNoRedisAndNoLoss(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	dir := t.TempDir()
	runner, addr := startHelper(t, dir)
	if err := connect(t, addr).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runner.Wait()
	// The next one starts at once, whether the orphan has ended or not.
	s := start(t, embedded.Config{Dir: dir})
	if got := connect(t, s.URL()).Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("after kill -9 k = %q, want %q", got, "v")
	}
}

func TestOrphanEndsBeforeItsFilesAreTouched(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	dir := t.TempDir()
	addr, orphan := startOrphan(t, dir)
	if err := connect(t, addr).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	out := &logs{}
	s := start(t, embedded.Config{Dir: dir, Log: out.logger()})
	if err := orphan.Wait(); err != nil {
		t.Errorf("the orphan was not told to shut down: %v", err)
	}
	if got := connect(t, s.URL()).Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("k = %q, want what the orphan had written", got)
	}
	if !strings.Contains(out.String(), "was killed") {
		t.Errorf("the log says %q, nothing of the orphan", out)
	}
}

func TestFrozenOrphanKeepsItsFiles(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	dir := t.TempDir()
	runner, addr := startHelper(t, dir)
	pid := pidOf(t, connect(t, addr))
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runner.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := embedded.Start(ctx, embedded.Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "still holds") {
		t.Errorf("Start = %v, want that the orphan still holds the directory", err)
	}
}

// startOrphan runs a redis-server as one that outlived its runner: it holds the
// lock of the files, and nobody holds the runner's.
func startOrphan(t *testing.T, dir string) (string, *exec.Cmd) {
	t.Helper()
	home := filepath.Join(dir, "redis")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(dir, "redis.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(home, "redis.sock")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", home,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	cmd.ExtraFiles = []*os.File{lock}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	addr := "unix://" + socket
	if err := os.WriteFile(filepath.Join(dir, "redis.addr"), []byte(addr+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the orphan listens", func() bool { return answers(t, addr) })
	return addr, cmd
}

func TestDeathOfRedisIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{Dir: t.TempDir()})
	if err := syscall.Kill(pidOf(t, connect(t, s.URL())), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err = %v, want that redis-server was killed", err)
	}
}

func TestFrozenRedisIsKilledInTheEnd(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pidOf(t, connect(t, s.URL())), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("Close = %v, want that redis-server was killed", err)
	}
	<-s.Done()
}
