package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "campaign-runner-chaos-")
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
const patience = 4 * time.Minute

// logbook collects what a process writes, also over its restarts.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// tail is the end of what was written.
func (l *logbook) tail(most int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.text.Bytes()
	return string(b[max(0, len(b)-most):])
}

// process is a program that runs, or has run.
type process struct {
	cmd   *exec.Cmd
	first chan string
	ended chan struct{}
	err   error // valid once ended is closed
}

// launch starts a program. Its first line of output can be read from first.
func launch(env []string, log io.Writer, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), first: make(chan string, 1), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = env, log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		p.first <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r)
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// runner is one place where a runner runs, however often it is started anew.
type runner struct {
	w    *world
	dir  string
	log  *logbook
	mu   sync.Mutex
	proc *process
	// wanted tells the supervisor that the runner is to be started anew when it ends.
	wanted bool
	// busy keeps disturbances of one runner apart.
	busy sync.Mutex
}

func (r *runner) env() []string {
	return append(r.w.env, "RUNNER_DATA_DIR="+r.dir)
}

// start starts the runner and watches it as a service manager does: where it
// ends by itself, because its Redis is down, it is started again.
func (r *runner) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = true
	r.spawn()
}

// spawn needs r.mu.
func (r *runner) spawn() {
	p, err := launch(r.env(), r.log, filepath.Join(bin, "runner"), "serve")
	if err != nil {
		r.w.t.Errorf("a runner does not start: %v", err)
		return
	}
	r.proc = p
	go func() {
		<-p.ended
		time.Sleep(300 * time.Millisecond)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.wanted && r.proc == p {
			r.w.count("starts anew", 1)
			r.spawn()
		}
	}()
}

// now is the process that runs.
func (r *runner) now() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// kill9 ends the runner at whatever instruction it is and starts it again.
func (r *runner) kill9() {
	r.busy.Lock()
	defer r.busy.Unlock()
	r.mu.Lock()
	p := r.proc
	r.proc = nil
	r.mu.Unlock()
	p.kill()
	r.w.count("kill -9", 1)
	r.start()
}

// drain ends the runner as a person does and returns how long that took. It
// demands that the runner ends by itself and without an error.
func (r *runner) drain() time.Duration {
	r.busy.Lock()
	defer r.busy.Unlock()
	r.mu.Lock()
	p := r.proc
	r.wanted = false
	r.mu.Unlock()
	began := time.Now()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		if p.err != nil {
			r.w.t.Errorf("a runner ended with %v after SIGTERM:\n%s", p.err, r.log.tail(3000))
		}
	case <-time.After(patience):
		p.kill()
		r.w.t.Errorf("a runner did not end after SIGTERM:\n%s", r.log.tail(3000))
	}
	return time.Since(began)
}

// ready tells whether the runner answers that it works.
func (r *runner) ready() bool {
	addr, err := os.ReadFile(filepath.Join(r.dir, "runner.addr"))
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

// redisServer is a real redis-server with its files, however often it is started.
type redisServer struct {
	dir, port string
	// copied holds a copy of the files as they once were.
	copied string
	mu     sync.Mutex
	proc   *process
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	must(t, err)
	must(t, ln.Close())
	return port
}

func newRedis(t *testing.T) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is missing: `make deps` installs it")
	}
	r := &redisServer{dir: t.TempDir(), port: freePort(t)}
	must(t, r.start())
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.proc.signal(syscall.SIGCONT)
		r.proc.kill()
	})
	return r
}

func (r *redisServer) url() string { return "redis://127.0.0.1:" + r.port }

// start starts the server and returns once it answers.
func (r *redisServer) start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := launch(os.Environ(), io.Discard, "redis-server", "--port", r.port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--dir", r.dir)
	if err != nil {
		return err
	}
	r.proc = p
	for range 400 {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+r.port); err == nil {
			return conn.Close()
		}
		time.Sleep(25 * time.Millisecond)
	}
	return errors.New("redis-server does not answer")
}

func (r *redisServer) now() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enqueue runs a command and returns its output and exit code.
func (w *world) enqueue(args ...string) (stdout, stderr string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "enqueue"), args...)
	cmd.Env = append(w.env, "RUNNER_DATA_DIR="+w.runners[0].dir)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		return "", err.Error(), -1
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// ask reads a page of the sandbox's testing surface.
func (w *world) ask(path string, into any) error {
	resp, err := http.Get(w.control + path)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return json.NewDecoder(resp.Body).Decode(into)
}

// order changes the sandbox.
func (w *world) order(path, body string) error {
	resp, err := http.Post(w.control+path, "text/plain", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, text)
	}
	return nil
}
