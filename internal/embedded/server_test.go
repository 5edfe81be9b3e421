package embedded_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/embedded"
)

// forms are the two that Start chooses from.
var forms = []struct {
	name     string
	volatile bool
}{{"redis-server", false}, {"in-process", true}}

func TestServerServesUntilItIsClosed(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			s := start(t, embedded.Config{Dir: dir, Volatile: form.volatile})
			if s.Durable() == form.volatile {
				t.Errorf("Durable() = %v", s.Durable())
			}
			found, err := embedded.Find(dir)
			if err != nil || found != s.URL() {
				t.Fatalf("Find = %q, %v; want %q", found, err, s.URL())
			}
			if err := connect(t, found).Set(t.Context(), "k", "v", 0).Err(); err != nil {
				t.Fatal(err)
			}
			checkMode(t, dir, 0o700)
			checkMode(t, filepath.Join(dir, "redis.addr"), 0o600)

			if err := s.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			<-s.Done()
			if s.Err() != nil {
				t.Errorf("Err after Close = %v, want nil", s.Err())
			}
			if _, err := embedded.Find(dir); !errors.Is(err, embedded.ErrNotRunning) {
				t.Errorf("Find after Close = %v, want ErrNotRunning", err)
			}
			checkFiles(t, dir)
		})
	}
}

// checkFiles finds nothing that would mislead after Close.
func checkFiles(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"redis.addr", "redis/redis.sock"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after Close: %v, want it gone", name, err)
		}
	}
}

func checkMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("mode of %s = %o, want %o", filepath.Base(path), got, want)
	}
}

func TestSecondRunnerIsRefused(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			first := start(t, embedded.Config{Dir: dir, Volatile: form.volatile})
			_, err := embedded.Start(t.Context(), embedded.Config{Dir: dir, Volatile: form.volatile})
			if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another runner") {
				t.Fatalf("second Start = %v, want an error that names the directory and the cause", err)
			}
			if err := connect(t, first.URL()).Ping(t.Context()).Err(); err != nil {
				t.Errorf("the first one was disturbed: %v", err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			start(t, embedded.Config{Dir: dir, Volatile: form.volatile})
		})
	}
}

func TestKeysExpire(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, embedded.Config{Dir: t.TempDir(), Volatile: form.volatile})
			c := connect(t, s.URL())
			if err := c.Set(t.Context(), "k", "v", 20*time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the key expires", func() bool { return c.Exists(t.Context(), "k").Val() == 0 })
		})
	}
}

func TestInProcessKeysExpireByTheGivenClock(t *testing.T) {
	t.Parallel()
	var hours atomic.Int64
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return epoch.Add(time.Duration(hours.Load()) * time.Hour) }
	s := start(t, embedded.Config{Dir: t.TempDir(), Volatile: true, Now: clock})
	c := connect(t, s.URL())
	if err := c.Set(t.Context(), "k", "v", 90*time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	hours.Store(1)
	eventually(t, "an hour has passed", func() bool { return c.TTL(t.Context(), "k").Val() == 30*time.Minute })
	hours.Store(2)
	eventually(t, "the key expires", func() bool { return c.Exists(t.Context(), "k").Val() == 0 })
}

func TestInProcessDemandsItsPassword(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{Dir: t.TempDir(), Volatile: true})
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	bare := "redis://" + u.Host
	err = embedded.Ping(t.Context(), connect(t, bare), bare)
	if err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("Ping without the password = %v, want a refusal", err)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	if err := connect(t, s.URL()).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, embedded.Config{Dir: dir})
	if got := connect(t, s.URL()).Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("after a restart k = %q, want %q", got, "v")
	}
}

func TestRedisServerIsSafeForMoney(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := connect(t, start(t, embedded.Config{Dir: dir}).URL())
	for name, want := range map[string]string{
		"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction",
		"no-appendfsync-on-rewrite": "no", "port": "0", "save": "",
	} {
		got, err := c.ConfigGet(t.Context(), name).Result()
		if err != nil || got[name] != want {
			t.Errorf("%s = %q, %v; want %q", name, got[name], err, want)
		}
	}
	checkMode(t, filepath.Join(dir, "redis"), 0o700)
	checkMode(t, filepath.Join(dir, "redis", "redis.sock"), 0o700)
}

func TestDataDirectoriesOfAnyName(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]string{
		"too long for a socket": strings.Repeat("long/", 30),
		"odd characters":        "a b?c#d%20",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), folder)
			s := start(t, embedded.Config{Dir: dir})
			found, err := embedded.Find(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := connect(t, found).Ping(t.Context()).Err(); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(found)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(u.Path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket after Close: %v, want it gone", err)
			}
		})
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.Start(ctx, embedded.Config{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Start = %v, want context.Canceled", err)
	}
	start(t, embedded.Config{Dir: dir})
}

func TestDamagedFilesAreExplained(t *testing.T) {
	t.Parallel()
	requireRedis(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, "redis", "appendonlydir")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(folder, "appendonly.aof.manifest")
	if err := os.WriteFile(manifest, []byte("damaged\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "manifest") || !strings.Contains(err.Error(), dir) {
		t.Errorf("Start = %v, want what redis-server said and where its files are", err)
	}
}

func TestWithoutRedisServerStateIsVolatileAndSaidToBe(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	out := &logs{}
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Log: out.logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if s.Durable() {
		t.Error("Durable() = true without redis-server")
	}
	if !strings.Contains(out.String(), "lost at exit") {
		t.Errorf("the log says %q, not that state is lost at exit", out)
	}
	if strings.Contains(out.String(), s.URL()) {
		t.Error("the log holds the password")
	}
}

func TestFindBesideNoRunner(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]string{
		"nothing":       "",
		"a dead socket": "unix:///nowhere/redis.sock\n",
		"a dead port":   "redis://:secret@127.0.0.1:1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if left != "" {
				if err := os.WriteFile(filepath.Join(dir, "redis.addr"), []byte(left), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := embedded.Find(dir)
			if !errors.Is(err, embedded.ErrNotRunning) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Find = %v, want ErrNotRunning and no secret", err)
			}
		})
	}
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for version, fine := range map[string]bool{
		"5.0.14": false, "6.0.16": false, "6.2.0": true, "7.0.15": true, "10.1.0": true, "": false,
	} {
		err := embedded.CheckVersion("# Server\r\nredis_version:" + version + "\r\nredis_mode:standalone\r\n")
		if (err == nil) != fine {
			t.Errorf("version %q: %v", version, err)
		}
	}
}
