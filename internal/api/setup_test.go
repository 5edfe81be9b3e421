package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

const secret = "canary-7f3a9b"

func key(t *testing.T) api.Key {
	t.Helper()
	k, err := api.NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func client(t *testing.T, cfg api.Config) *api.Client {
	t.Helper()
	cfg.Key = key(t)
	c, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// marketplace answers every request with one text and remembers them.
type marketplace struct {
	URL string

	mu       sync.Mutex
	requests []request
}

type request struct {
	Line    string
	Headers http.Header
	Body    string
}

func answer(t *testing.T, status int, body string) *marketplace {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serve(t *testing.T, h http.HandlerFunc) *marketplace {
	t.Helper()
	m := &marketplace{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading a request: %v", err)
		}
		m.mu.Lock()
		m.requests = append(m.requests, request{r.Method + " " + r.URL.RequestURI() + " " + r.Proto, r.Header, string(body)})
		m.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	m.URL = s.URL
	return m
}

func (m *marketplace) seen() []request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]request(nil), m.requests...)
}

// only is the one request that was made.
func (m *marketplace) only(t *testing.T) request {
	t.Helper()
	all := m.seen()
	if len(all) != 1 {
		t.Fatalf("%d requests were made, want 1: %v", len(all), all)
	}
	return all[0]
}

// tree is JSON as plain values, numbers by their digits without idle zeros.
func tree(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func jsonArray(items ...string) string {
	out := "["
	for i, s := range items {
		if i > 0 {
			out += ","
		}
		out += s
	}
	return fmt.Sprint(out, "]")
}
