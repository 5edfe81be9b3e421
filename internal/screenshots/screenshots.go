// Package screenshots fetches the pictures that workers handed in. Their
// addresses were written by others, so only those on the API's own host are
// asked for, without the key, and nothing of an address becomes part of a path.
package screenshots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// most is how many bytes a picture has at most.
const most = 5 << 20

// suffixes are the types that are kept, by what their content shows. A drawing
// in SVG may hold a program and is none of them.
var suffixes = map[string]string{
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp",
}

// Config is what a Fetcher is made of.
type Config struct {
	// APIURL is the API's address; pictures are fetched from its host alone.
	APIURL string
	// Dir is where pictures are kept, a file each. It is made if need be.
	Dir string
	// Wait returns when the next request may be made; nil sets no limit.
	Wait func(ctx context.Context) error
	// Timeout bounds one picture. Default 30s.
	Timeout time.Duration
}

// Fetcher keeps pictures in a directory.
type Fetcher struct {
	cfg    Config
	origin string
	client *http.Client
}

// New makes the directory and a fetcher for it.
func New(cfg Config) (*Fetcher, error) {
	base, err := url.Parse(cfg.APIURL)
	if err != nil || base.Host == "" {
		return nil, errors.New("the API URL is not a URL")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Wait == nil {
		cfg.Wait = func(ctx context.Context) error { return ctx.Err() }
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	return &Fetcher{cfg: cfg, origin: origin(base), client: &http.Client{
		// A proxy of the environment would learn which workers' pictures are looked at.
		Transport:     &http.Transport{Proxy: nil, MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       cfg.Timeout,
	}}, nil
}

// Close lets go of idle connections.
func (f *Fetcher) Close() { f.client.CloseIdleConnections() }

// origin is the scheme, host and port of u, the default port spelled out.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// Fetch keeps the picture of an application, which has its number from 1, and
// returns its file. One that is kept already is not asked for again, and fresh
// is false then.
func (f *Fetcher) Fetch(ctx context.Context, application int64, number int, address string) (path string, fresh bool, err error) {
	name := strconv.FormatInt(application, 10) + "-" + strconv.Itoa(number)
	for _, suffix := range suffixes {
		path := filepath.Join(f.cfg.Dir, name+suffix)
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			return path, false, nil
		}
	}
	u, err := f.check(address)
	if err != nil {
		return "", false, err
	}
	content, err := f.get(ctx, u)
	if err != nil {
		return "", false, err
	}
	suffix, known := suffixes[http.DetectContentType(content)]
	if !known {
		return "", false, fmt.Errorf("%s is no picture of a kind that is kept (png, jpeg, gif, webp)", u.Redacted())
	}
	path = filepath.Join(f.cfg.Dir, name+suffix)
	return path, true, write(path, content)
}

// check takes an address on the API's own host only.
func (f *Fetcher) check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address of the screenshot is not a URL")
	}
	if u.User != nil || u.Opaque != "" || origin(u) != f.origin {
		return nil, fmt.Errorf("%q is not on %s, the API's own host: it is not fetched", u.Redacted(), f.origin)
	}
	return u, nil
}

func (f *Fetcher) get(ctx context.Context, u *url.URL) ([]byte, error) {
	if err := f.cfg.Wait(ctx); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s was answered %s", u.Redacted(), resp.Status)
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, err
	}
	if len(content) > most {
		return nil, fmt.Errorf("%s has more than %d MiB", u.Redacted(), most>>20)
	}
	return content, nil
}

// write makes a file whole or not at all.
func write(path string, content []byte) (err error) {
	part, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part.Name())
		}
	}()
	if _, err := part.Write(content); err != nil {
		return errors.Join(err, part.Close())
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
