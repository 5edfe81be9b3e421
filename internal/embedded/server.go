package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// program is the name that is looked up in PATH.
const program = "redis-server"

// Config says where the embedded Redis lives and which form it takes.
type Config struct {
	// Dir is the data directory. It is created, with mode 0700, when missing.
	// Redis keeps its files in its folder "redis".
	Dir string
	// Volatile asks for the in-process Redis even where redis-server is
	// installed. Default false.
	Volatile bool
	// Log gets what the Redis has to say. Default slog.Default().
	Log *slog.Logger
	// Now is the clock that keys of the in-process Redis expire by. Default
	// time.Now. A redis-server has a clock of its own.
	Now func() time.Time
}

// Server is a running Redis that belongs to this process.
type Server struct {
	url     string
	durable bool
	addr    string
	lock    *lock
	redis   instance
	done    chan struct{}

	mu     sync.Mutex
	err    error
	closed sync.Once
}

// instance is one of the two forms of the embedded Redis.
type instance interface {
	// wait blocks until the Redis has ended and tells why, nil after stop.
	wait() error
	// stop ends the Redis and removes what it left in the file system.
	stop() error
}

// Start runs the embedded Redis and returns once it answers. ctx bounds the
// start only: the server lives until Close. The errors say what to do: another
// runner holds the directory, the files cannot be read, the redis-server is
// too old.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	dir, err := makeDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	held, err := lockRunner(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{addr: filepath.Join(dir, addressFile), lock: held, done: make(chan struct{})}
	if err := s.start(ctx, dir, cfg); err != nil {
		held.release()
		return nil, err
	}
	go s.watch()
	return s, nil
}

// start runs the form that cfg and PATH ask for and publishes its address.
func (s *Server) start(ctx context.Context, dir string, cfg Config) error {
	bin, err := exec.LookPath(program)
	switch {
	case cfg.Volatile:
		cfg.Log.Warn("state is kept in memory, as asked, and is lost at exit")
	case err != nil:
		cfg.Log.Warn("there is no redis-server in PATH: state is kept in memory and is lost at exit",
			"advice", "install redis-server or set REDIS_URL")
	}
	if cfg.Volatile || err != nil {
		s.redis, s.url, err = startInProcess(cfg.Now)
	} else {
		s.durable = true
		s.redis, s.url, err = startChild(ctx, bin, dir, cfg.Log)
	}
	if err != nil {
		return err
	}
	if err := writeAddress(s.addr, s.url); err != nil {
		return errors.Join(err, s.redis.stop())
	}
	return nil
}

// watch reports the end of the Redis.
func (s *Server) watch() {
	err := s.redis.wait()
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	close(s.done)
}

// URL is the address in the form that Connect takes. That of an in-process
// Redis holds its password: do not log it as it is.
func (s *Server) URL() string { return s.url }

// Durable reports whether what was written survives the end of the process.
func (s *Server) Durable() bool { return s.durable }

// Done is closed when the Redis has ended, whether by Close or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err tells why the Redis ended by itself. It is nil while it runs and after
// Close.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the Redis, removes its address and gives the directory back.
// It waits up to 10 seconds for a redis-server to finish, then kills it.
// Later calls do nothing.
func (s *Server) Close() error {
	var err error
	s.closed.Do(func() {
		err = os.Remove(s.addr)
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		err = errors.Join(err, s.redis.stop())
		<-s.done
		s.lock.release()
	})
	return err
}

// makeDir makes the data directory and returns its absolute path. A directory
// that was there keeps its mode: it may be one that others share.
func makeDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("the data directory has no name: set RUNNER_DATA_DIR or --data-dir")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data directory %q: %w", dir, err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return "", fmt.Errorf("data directory %q cannot be made: choose another with RUNNER_DATA_DIR or --data-dir: %w",
			dir, err)
	}
	return abs, nil
}
