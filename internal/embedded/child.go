package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of the waits for a redis-server.
const (
	readyWithin = 2 * time.Minute // an append-only file of gigabytes loads in less
	stopWithin  = 10 * time.Second
	pipeWithin  = 2 * time.Second
)

// child is a private redis-server.
type child struct {
	home     string
	socket   socket
	lock     *lock
	log      *childLog
	process  *os.Process
	stopping atomic.Bool
	done     chan struct{}
	err      error // why it ended; read it after done
}

// startChild runs bin on the files in dir and waits until it has loaded them.
func startChild(ctx context.Context, bin, dir string, log *slog.Logger) (instance, string, error) {
	home := filepath.Join(dir, "redis")
	//nolint:gosec // G302: it is a folder, which nobody could enter with 0600
	if err := errors.Join(os.MkdirAll(home, 0o700), os.Chmod(home, 0o700)); err != nil {
		return nil, "", fmt.Errorf("folder for redis: %w", err)
	}
	held, err := lockRedis(ctx, dir, log)
	if err != nil {
		return nil, "", err
	}
	sock, err := makeSocket(dir, home)
	if err != nil {
		held.release()
		return nil, "", err
	}
	c := &child{home: home, socket: sock, lock: held, log: &childLog{log: log}, done: make(chan struct{})}
	addr := (&url.URL{Scheme: "unix", Path: sock.path}).String()
	if err := c.spawn(bin, home); err != nil {
		c.cleanUp()
		return nil, "", err
	}
	if err := c.ready(ctx, addr); err != nil {
		return nil, "", errors.Join(err, c.stop())
	}
	c.log.setPhase(running)
	return c, addr, nil
}

// spawn starts the process. The goroutine that does so keeps its thread until
// the process has ended, because the kernel ends the process with the thread.
func (c *child) spawn(bin, home string) error {
	//nolint:gosec,noctx // bin was found in PATH; the child outlives the context of its start
	cmd := exec.Command(bin, arguments(home, c.socket.path)...)
	cmd.Env = environment()
	cmd.Stdout = c.log
	cmd.Stderr = c.log
	cmd.WaitDelay = pipeWithin
	cmd.SysProcAttr = childAttr()
	// Its copy of the lock outlives us: nobody else gets at the files before
	// it has ended, whoever else was killed.
	cmd.ExtraFiles = []*os.File{c.lock.file}

	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("%s: %w", bin, err)
	}
	c.process = cmd.Process
	return nil
}

// arguments are all that the redis-server is told; it reads no file. It keeps
// every acknowledged write on disk, evicts nothing, and listens on the socket
// alone. An operation fits into a listpack, which takes a third of the memory; its
// old name is known to every version.
func arguments(home, socket string) []string {
	return []string{
		"--port", "0",
		"--unixsocket", socket,
		"--unixsocketperm", "700",
		"--dir", home,
		"--save", "",
		"--appendonly", "yes",
		"--appendfsync", "always",
		"--no-appendfsync-on-rewrite", "no",
		"--maxmemory", "0",
		"--maxmemory-policy", "noeviction",
		"--hash-max-ziplist-value", "1024",
		"--daemonize", "no",
		"--supervised", "no",
		"--logfile", "",
		"--loglevel", "notice",
	}
}

// environment is what the redis-server inherits: none of our secrets.
func environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func (c *child) wait() error {
	<-c.done
	if c.stopping.Load() {
		return nil
	}
	return c.death()
}

// death describes an end that nobody asked for.
func (c *child) death() error {
	reason := "exit status 0"
	if c.err != nil {
		reason = c.err.Error()
	}
	if words := c.log.lastWords(); words != "" {
		reason += ": " + words
	}
	return fmt.Errorf("redis-server ended by itself: %s", reason)
}

func (c *child) stop() error {
	c.stopping.Store(true)
	c.log.setPhase(stopping)
	// An error means that it has ended already, which is what is wanted.
	_ = c.process.Signal(syscall.SIGTERM)
	var err error
	select {
	case <-c.done:
	case <-time.After(stopWithin):
		err = fmt.Errorf("redis-server did not end within %s and was killed", stopWithin)
		_ = c.process.Kill()
		<-c.done
	}
	c.cleanUp()
	return err
}

// cleanUp removes what the process leaves and lets the next one start.
func (c *child) cleanUp() {
	c.socket.remove()
	c.lock.release()
}
