package api_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func tlsServer(t *testing.T, edit func(*httptest.Server), h http.HandlerFunc) (*api.Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = nil
	edit(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c, err := api.NewWithRoots(api.Config{BaseURL: s.URL, Key: key(t)}, roots)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, s
}

func TestHTTP2IsDeclined(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	c, _ := tlsServer(t, func(s *httptest.Server) { s.EnableHTTP2 = true }, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.ProtoMajor != 1 || r.TLS.NegotiatedProtocol == "h2" {
			t.Errorf("spoken over %s, %q", r.Proto, r.TLS.NegotiatedProtocol)
		}
		panic(http.ErrAbortHandler) // the connection breaks with the work done
	})
	for i, name := range []string{"PauseJob", "CreateJob"} {
		err := calls[name](t.Context(), c)
		if err == nil || api.EffectOf(err) != api.EffectUnknown {
			t.Errorf("%s: effect %s: %v", name, api.EffectOf(err), err)
		}
		if got := requests.Load(); got != int64(i+1) {
			t.Errorf("%d requests, want %d", got, i+1)
		}
	}
}

func TestTheFenceHoldsOverTLS(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	c, _ := tlsServer(t, func(*httptest.Server) {}, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, `{"result":"ok","job_id":1}`)
	})
	ctx := api.SendBefore(t.Context(), time.Now().Add(-time.Second))
	for _, used := range []bool{false, true} {
		err := calls["PauseJob"](ctx, c)
		if api.EffectOf(err) != api.EffectNotApplied || api.ReasonOf(err) != api.ReasonDeadline {
			t.Errorf("used %v: %v", used, err)
		}
		if err := calls["PauseJob"](t.Context(), c); err != nil {
			t.Errorf("used %v, without a fence: %v", used, err)
		}
	}
	if got := requests.Load(); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}

func TestOnlyGoodTLSIsSpoken(t *testing.T) {
	t.Parallel()
	count := func(n *atomic.Int64) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { n.Add(1) }
	}
	var old, stranger atomic.Int64
	c, _ := tlsServer(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	}, count(&old))
	_, s := tlsServer(t, func(*httptest.Server) {}, count(&stranger))
	unknown := client(t, api.Config{BaseURL: s.URL})
	for name, c := range map[string]*api.Client{"TLS 1.1": c, "an unknown authority": unknown} {
		err := calls["PauseJob"](t.Context(), c)
		if api.EffectOf(err) != api.EffectNotApplied || api.ReasonOf(err) != api.ReasonUnreachable {
			t.Errorf("%s: effect %s: %v", name, api.EffectOf(err), err)
		}
	}
	if old.Load()+stranger.Load() != 0 {
		t.Error("a request was made")
	}
}
