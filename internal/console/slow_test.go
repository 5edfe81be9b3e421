package console_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/console"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// pipes is a listener whose connections stay in the process, so that their time
// is the test's.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// drip sends a text and then a byte each second, and tells how long it takes
// until the other side has cut the connection.
func drip(conn net.Conn, text string) time.Duration {
	start := time.Now()
	cut := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(cut)
	}()
	_, err := io.WriteString(conn, text)
	for err == nil {
		time.Sleep(time.Second)
		_, err = conn.Write([]byte{'x'})
	}
	<-cut
	return time.Since(start)
}

// TestSlowClientsAreCutOff opens a thousand connections that each send a byte a
// second, within the header or within the body of a callback. All are cut off
// after 5 s, meanwhile others are served, and no goroutine stays behind.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	const most = 6 * time.Second // the 5 s, and the second in which the next byte is refused
	for name, text := range map[string]string{
		"nothing":   "",
		"a line":    "POST " + callbackPath + " HTTP/1.1\r\n",
		"a header":  "POST " + callbackPath + " HTTP/1.1\r\nHost: runner.test\r\nX-Slow: ",
		"a body":    "POST " + callbackPath + " HTTP/1.1\r\nHost: runner.test\r\nContent-Length: 4000\r\n\r\nevent=job-finished&job_id=1&x=",
		"a chunked": "POST " + callbackPath + " HTTP/1.1\r\nHost: runner.test\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nevent=job-finished&job_id=1&x=",
		"a login":   "POST /login HTTP/1.1\r\nHost: runner.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\ntoken=",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := &hints{}
				server := console.Server("", console.New(console.Config{
					Now: time.Now, Log: discard(), Token: settings.NewSecret(token), Hosts: []string{"runner.test"},
					CallbackSecret: settings.NewSecret(callbackSecret), OnCallback: got.take,
				}), discard())
				ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
				var running sync.WaitGroup
				running.Go(func() { _ = server.Serve(ln) })
				lasted := make(chan time.Duration, 1000)
				for range cap(lasted) {
					running.Go(func() { lasted <- drip(ln.dial(), text) })
				}
				for range 4 {
					time.Sleep(time.Second)
					start := time.Now()
					if code := ask(t, ln.dial()); code != http.StatusOK || time.Since(start) != 0 {
						t.Errorf("another client is answered %d after %s", code, time.Since(start))
					}
				}
				for range cap(lasted) {
					if d := <-lasted; d > most {
						t.Fatalf("a connection that sends a byte a second lasted %s", d)
					}
				}
				if len(got.all) != 0 {
					t.Errorf("%d callbacks that never came whole were taken", len(got.all))
				}
				must(t, server.Shutdown(context.Background()))
				running.Wait()
			})
		})
	}
}

// ask sends a request for the health and returns the status of the answer.
func ask(t *testing.T, conn net.Conn) int {
	t.Helper()
	defer func() { _ = conn.Close() }()
	go func() { _, _ = fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: runner.test\r\n\r\n") }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}
