package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// readIdle is how long a connection for reads may rest between two uses.
	readIdle = 90 * time.Second
	// changeIdle is short: a server closes connections that rest, and a change
	// that meets such a close has an unknown effect.
	changeIdle = 2 * time.Second
	// idlePerHost keeps a connection for each of 64 requests in flight, twice over.
	idlePerHost = 128
	// headerBytes bounds the head of an answer.
	headerBytes = 64 << 10
)

// newTransport speaks HTTP/1.1 only, straight to the host, over guarded
// connections. HTTP/2 is out because Go's client repeats a request, POST
// included, when a peer resets its stream after doing the work; a proxy from
// the environment is out because it would see the key of a plain-HTTP call.
// nil roots are the system's.
func newTransport(idle time.Duration, roots *x509.CertPool) *http.Transport {
	var dialer net.Dialer
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &guardedConn{Conn: conn}, nil
		},
		Protocols:              protocols,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        idle,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: headerBytes,
	}
}

// authorizer adds the key to requests that go to the API itself, and to no
// other scheme, host or port.
type authorizer struct {
	base *url.URL
	key  Key
	next http.RoundTripper
}

func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	if origin(req.URL) != origin(a.base) {
		return a.next.RoundTrip(req)
	}
	signed := req.WithContext(req.Context())
	signed.Header = req.Header.Clone()
	signed.Header.Set("Authorization", "Bearer "+a.key.reveal())
	return a.next.RoundTrip(signed)
}

// origin is the scheme, host and port of u, the default port spelled out.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" && scheme == "https" {
		port = "443"
	}
	if port == "" && scheme == "http" {
		port = "80"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
