package console_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newTLSServer serves a handler over TLS on loopback.
func newTLSServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	return s
}

// through is the status of a request that came in by a local address, from a
// peer elsewhere; "" stands for a connection whose address is not known.
func (f *fixture) through(t *testing.T, local, path string) int {
	t.Helper()
	ctx := t.Context()
	if local != "" {
		ctx = localContext(t, local)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = local, "203.0.113.9:4711"
	w := httptest.NewRecorder()
	f.server.Config.Handler.ServeHTTP(w, r)
	return w.Code
}

// localContext is that of a request that came in by a local address.
func localContext(t *testing.T, local string) context.Context {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", local)
	must(t, err)
	return context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(addr))
}
