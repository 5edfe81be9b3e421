package simulation

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
)

// inProcess carries requests to a handler in this process.
type inProcess struct{ handler http.Handler }

// RoundTrip has the handler answer.
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(a, req)
	return &http.Response{
		StatusCode: a.status, Header: a.header, ContentLength: int64(a.body.Len()),
		Body: io.NopCloser(&a.body), Request: req, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// answer gathers what a handler writes.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header is the answer's.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader sets the status, once.
func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

// Write adds to the body.
func (a *answer) Write(b []byte) (int, error) {
	a.wrote = true
	return a.body.Write(b)
}
