package api_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func TestTheTimeoutEndsAnAnswerThatTrickles(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{
		"silence":        "",
		"half a head":    "HTTP/1.1 200 OK\r\nContent-",
		"a head":         "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
		"half an answer": "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + `{"result":"ok"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := raw(t, func(_ int64, conn *net.TCPConn) bool {
				_, _ = io.WriteString(conn, begin)
				_, _ = io.Copy(io.Discard, conn) // until the client hangs up
				return false
			})
			err := client(t, api.Config{BaseURL: s.URL, Timeout: time.Second}).PauseJob(t.Context(), 15341)
			if api.EffectOf(err) != api.EffectUnknown || api.ReasonOf(err) != api.ReasonTimeout {
				t.Errorf("effect %s, reason %s: %v", api.EffectOf(err), api.ReasonOf(err), err)
			}
		})
	}
}

func TestAnAnswerIsReadUpToItsLimit(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{"PauseJob": `{"result":"ok"}`, "Jobs": `[]`}
	for _, row := range []struct {
		name   string
		call   string
		size   int
		zipped bool
		ok     bool
	}{
		{"1 MiB", "PauseJob", 1 << 20, false, true},
		{"one byte more", "PauseJob", 1<<20 + 1, false, false},
		{"1 MiB, zipped", "PauseJob", 1 << 20, true, true},
		{"one byte more, zipped", "PauseJob", 1<<20 + 1, true, false},
		{"64 MiB, zipped", "PauseJob", 64 << 20, true, false},
		{"without end", "PauseJob", 1 << 40, false, false},
		{"16 MiB of jobs", "Jobs", 16 << 20, false, true},
		{"one byte more of jobs", "Jobs", 16<<20 + 1, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if !row.zipped {
					writePadded(w, bodies[row.call], row.size)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
				writePadded(z, bodies[row.call], row.size)
				_ = z.Close()
			})
			err := calls[row.call](t.Context(), client(t, api.Config{BaseURL: m.URL}))
			if row.ok != (err == nil) {
				t.Errorf("error %v", err)
			}
			if err != nil && (api.EffectOf(err) != api.EffectUnknown || api.ReasonOf(err) != api.ReasonUnreadable) {
				t.Errorf("effect %s, reason %s: %v", api.EffectOf(err), api.ReasonOf(err), err)
			}
		})
	}
}

// writePadded writes body and spaces up to size, as long as anyone reads.
func writePadded(w io.Writer, body string, size int) {
	const block = 64 << 10
	_, err := io.WriteString(w, body)
	for left := size - len(body); left > 0 && err == nil; left -= block {
		_, err = io.WriteString(w, strings.Repeat(" ", min(left, block)))
	}
}

func TestAHeadWithoutEndIsCut(t *testing.T) {
	t.Parallel()
	s := raw(t, func(_ int64, conn *net.TCPConn) bool {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("a", 100)); err != nil {
				return false
			}
		}
	})
	err := client(t, api.Config{BaseURL: s.URL}).PauseJob(t.Context(), 15341)
	if api.EffectOf(err) != api.EffectUnknown || api.ReasonOf(err) != api.ReasonBroken {
		t.Errorf("effect %s: %v", api.EffectOf(err), err)
	}
}
