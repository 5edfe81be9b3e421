package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

// each to handle, which says whether the connection goes on.
type rawServer struct {
	URL      string
	requests atomic.Int64
	accepted atomic.Int64

	mu      sync.Mutex
	headers []http.Header
}

func raw(t *testing.T, handle func(n int64, conn *net.TCPConn) (goOn bool)) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{URL: "http://" + l.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			open.Go(func() { s.talk(conn.(*net.TCPConn), handle) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	return s
}

func (s *rawServer) talk(conn *net.TCPConn, handle func(int64, *net.TCPConn) bool) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		s.mu.Lock()
		s.headers = append(s.headers, req.Header)
		s.mu.Unlock()
		if !handle(s.requests.Add(1), conn) {
			return
		}
	}
}

func reply(conn net.Conn, head, body string) bool {
	_, err := fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
	return err == nil
}

// changing is every call that may do something twice.
var changing = []string{"CreateTeam", "UpdateTeam", "DeleteTeam", "AddTeamMember", "DeleteTeamMember", "Quote", "CreateJob",
	"UpdateJob", "AddSeats", "PauseJob", "ResumeJob", "RestartJob", "Rate"}

// fresh connection and on one that was used before.
func TestAChangeIsSentOnce(t *testing.T) {
	t.Parallel()
	faults := map[string]func(conn *net.TCPConn){
		"closed": func(*net.TCPConn) {},
		"reset":  func(conn *net.TCPConn) { _ = conn.SetLinger(0) },
		"half a status line": func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 20")
		},
		"half a head": func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Le")
		},
		"half a body": func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"result\":\"ok\",")
		},
		"half a chunk": func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"res")
		},
		"half closed": func(conn *net.TCPConn) { _ = conn.CloseWrite() },
		"no HTTP":     func(conn *net.TCPConn) { _, _ = io.WriteString(conn, "SSH-2.0-x\r\n\r\n") },
	}
	for fault, breakWire := range faults {
		for _, name := range changing {
			for _, used := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, used %v", fault, name, used), func(t *testing.T) {
					t.Parallel()
					s := raw(t, func(n int64, conn *net.TCPConn) bool {
						if used && n == 1 {
							return reply(conn, "422 No", `{"message":"no"}`)
						}
						breakWire(conn)
						return false
					})
					c := client(t, api.Config{BaseURL: s.URL})
					want := int64(1)
					if used {
						want++
						if err := calls[name](t.Context(), c); api.EffectOf(err) != api.EffectRejected {
							t.Fatalf("error %v", err)
						}
					}
					err := calls[name](t.Context(), c)
					if err == nil || api.EffectOf(err) != api.EffectUnknown || api.ReasonOf(err) != api.ReasonBroken {
						t.Errorf("effect %s: %v", api.EffectOf(err), err)
					}
					if got := s.requests.Load(); got != want {
						t.Errorf("%d requests, want %d", got, want)
					}
				})
			}
		}
	}
}

func TestNoKeyOfIdempotencyIsSent(t *testing.T) {
	t.Parallel()
	for _, name := range changing {
		s := raw(t, func(_ int64, conn *net.TCPConn) bool { return reply(conn, "422 No", `{"message":"no"}`) })
		_ = calls[name](t.Context(), client(t, api.Config{BaseURL: s.URL}))
		s.mu.Lock()
		for _, h := range s.headers {
			for header := range h {
				if strings.Contains(strings.ToLower(header), "idempotency") {
					t.Errorf("%s sends %s", name, header)
				}
			}
		}
		s.mu.Unlock()
	}
}

func TestAConnectionClosedAtRestCostsNothing(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	s := raw(t, func(n int64, conn *net.TCPConn) bool {
		ok := reply(conn, "200 OK", jobDoneSample)
		if n == 1 {
			_ = conn.Close()
			close(closed)
			return false
		}
		return ok
	})
	c := client(t, api.Config{BaseURL: s.URL})
	if err := c.PauseJob(t.Context(), 15341); err != nil {
		t.Fatal(err)
	}
	<-closed
	err := c.PauseJob(t.Context(), 15341)
	if got := s.requests.Load(); got > 2 || err == nil && got != 2 {
		t.Errorf("%d requests, error %v", got, err)
	}
	if err != nil && api.EffectOf(err) == api.EffectNotApplied && s.requests.Load() != 1 {
		t.Errorf("not applied, yet the server saw it: %v", err)
	}
}

func TestARefusedConnectionIsNotApplied(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close()
	each(t, func(t *testing.T, call func(context.Context, *api.Client) error) {
		err := call(t.Context(), client(t, api.Config{BaseURL: url}))
		if api.EffectOf(err) != api.EffectNotApplied || api.ReasonOf(err) != api.ReasonUnreachable {
			t.Errorf("effect %s: %v", api.EffectOf(err), err)
		}
	})
}

// goleak finds what stays behind.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	var done atomic.Int64
	m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		done.Add(1)
		_, _ = io.WriteString(w, `{"result":"ok","job_id":1}`)
	})
	c := client(t, api.Config{BaseURL: m.URL})
	var all sync.WaitGroup
	var applied, lost atomic.Int64
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%4 == 0 {
				go cancel()
			}
			switch err := calls["UpdateJob"](ctx, c); {
			case err == nil:
				applied.Add(1)
			case api.EffectOf(err) == api.EffectUnknown:
				lost.Add(1)
			}
		})
	}
	all.Wait()
	// What is not applied has not reached the server: what reached it was
	// answered, or is of unknown effect.
	if n := done.Load(); n < applied.Load() || n > applied.Load()+lost.Load() {
		t.Errorf("the server did %d, %d were applied and %d unknown", n, applied.Load(), lost.Load())
	}
}
