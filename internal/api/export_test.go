package api

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
)

// NewWithRoots is New with the certificates of a test's own server.
func NewWithRoots(cfg Config, roots *x509.CertPool) (*Client, error) { return newClient(cfg, roots) }

// DialWith makes both transports dial through dial.
func (c *Client) DialWith(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.reads.DialContext, c.changes.DialContext = dial, dial
}

// Authorize sends req through the part of a client that adds the key.
func (c *Client) Authorize(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	return (&authorizer{c.signed.changes.base, c.key, next}).RoundTrip(req)
}
