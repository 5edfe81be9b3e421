package embedded_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

// place is what a single-server URL comes to.
type place struct {
	Network, Addr, User, Password string
	DB                            int
	TLS                           bool
}

func TestConnectReadsURLsOfOneServer(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]place{
		"redis://localhost":                    {Network: "tcp", Addr: "localhost:6379"},
		"redis://localhost:7000/3":             {Network: "tcp", Addr: "localhost:7000", DB: 3},
		"redis://[::1]:7000":                   {Network: "tcp", Addr: "[::1]:7000"},
		"redis://[::1]":                        {Network: "tcp", Addr: "[::1]:6379"},
		"redis://:pw@h:1":                      {Network: "tcp", Addr: "h:1", Password: "pw"},
		"redis://u:p%40w@h:1":                  {Network: "tcp", Addr: "h:1", User: "u", Password: "p@w"},
		"redis://u:p/w@#?x@h:1/2":              {Network: "tcp", Addr: "h:1", User: "u", Password: "p/w@#?x", DB: 2},
		"rediss://h":                           {Network: "tcp", Addr: "h:6379", TLS: true},
		"unix:///run/redis.sock":               {Network: "unix", Addr: "/run/redis.sock"},
		"unix:///run/a%20b@/redis.sock?db=4":   {Network: "unix", Addr: "/run/a b@/redis.sock", DB: 4},
		"unix://u:pw@/run/redis.sock":          {Network: "unix", Addr: "/run/redis.sock", User: "u", Password: "pw"},
		"  redis://localhost:7000?db=5\n":      {Network: "tcp", Addr: "localhost:7000", DB: 5},
		"redis://localhost?max_retries=7":      {Network: "tcp", Addr: "localhost:6379"},
		"redis://h:1?context_timeout=&db=1":    {},
		"redis://h:1/notanumber":               {},
		"redis://h:1?unheard_of=1":             {},
		"redis://h:1/1/2":                      {},
		"redis://h:port":                       {},
		"redis://":                             {},
		"unix://":                              {},
		"unix://u:pw@relative/redis.sock":      {},
		"redis://u:p%zz@h:1":                   {},
		"redis-sentinel://u:pw@h:1":            {},
		"redis-sentinel://u:pw@h:1,/m":         {},
		"redis://u:pw@h:1,h:2/5":               {},
		"http://u:pw@h:1":                      {},
		"u:pw@h:1":                             {},
		"localhost:6379":                       {},
		"redis://u:pw@h:1?sentinel_password=;": {},
	} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			c, err := embedded.Connect(url, embedded.Options{Once: true, PoolSize: 3})
			if want == (place{}) {
				if err == nil {
					t.Fatalf("Connect took it")
				}
				if strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "%zz") {
					t.Errorf("the error shows the password: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			o := c.(*redis.Client).Options()
			got := place{o.Network, o.Addr, o.Username, o.Password, o.DB, o.TLSConfig != nil}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			// go-redis turns -1 into 0 once it has the options.
			if o.MaxRetries != 0 || !o.ContextTimeoutEnabled || o.PoolSize != 3 || !o.DisableIdentity {
				t.Errorf("options: retries %d, context %v, pool %d, no identity %v",
					o.MaxRetries, o.ContextTimeoutEnabled, o.PoolSize, o.DisableIdentity)
			}
		})
	}
}

func TestConnectTakesACluster(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	other := "localhost:" + m.Port()
	for name, url := range map[string]string{
		"one scheme":   "redis://" + m.Addr() + "," + other,
		"every scheme": "redis://" + m.Addr() + ",redis://" + other + "/0",
		"bare hosts":   m.Addr() + "," + other,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, url)
			if _, ok := c.(*redis.ClusterClient); !ok {
				t.Fatalf("client is a %T", c)
			}
			if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConnectFindsTheMasterThroughSentinel(t *testing.T) {
	t.Parallel()
	master := miniredis.RunT(t)
	master.RequireAuth("pw of redis")
	sentinel := miniredis.RunT(t)
	sentinel.RequireAuth("pw of sentinel")
	err := sentinel.Server().Register("SENTINEL", func(c *server.Peer, _ string, args []string) {
		if strings.EqualFold(args[0], "get-master-addr-by-name") && args[1] == "main" {
			c.WriteStrings([]string{master.Host(), master.Port()})
			return
		}
		c.WriteLen(0)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, "redis-sentinel://:pw%20of%20redis@"+sentinel.Addr()+",127.0.0.1:1/main/2"+
		"?sentinel_password=pw%20of%20sentinel")
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, _ := master.DB(2).Get("k"); got != "v" {
		t.Errorf("database 2 of the master has k = %q", got)
	}
}

func TestOnceSendsOnce(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]bool{"the journal's": true, "the queue's": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := miniredis.RunT(t)
			var sent atomic.Int64
			m.Server().SetPreHook(func(c *server.Peer, cmd string, _ ...string) bool {
				if cmd != "INCR" {
					return false
				}
				sent.Add(1)
				c.Close() // the command arrived; its answer is lost
				return true
			})
			c, err := embedded.Connect("redis://"+m.Addr(), embedded.Options{Once: once})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if err := c.Incr(t.Context(), "k").Err(); err == nil {
				t.Error("a lost answer is no error")
			}
			if got := sent.Load(); (got == 1) != once {
				t.Errorf("the command was sent %d times", got)
			}
		})
	}
}

func TestOnceHeedsTheDeadline(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	url := "redis://" + silent.Addr().String()
	c, err := embedded.Connect(url, embedded.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := embedded.Ping(ctx, c, url); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("Ping = %v, want that there was no answer in time", err)
	}
}

func TestPingSaysWhatToDo(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	m.RequireAuth("right")
	loading := miniredis.RunT(t)
	loading.SetError("LOADING Redis is loading the dataset in memory")
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	for want, url := range map[string]string{
		"set SSL_CERT_FILE":  "rediss://:wrong-pw@" + stranger.Listener.Addr().String(),
		"password refused":   "redis://:wrong-pw@" + m.Addr(),
		"nobody listens":     "redis://:wrong-pw@127.0.0.1:1",
		"nobody listens ":    "unix://:wrong-pw@/nowhere/redis.sock",
		"still loading":      "redis://" + loading.Addr(),
		"host not found":     "redis://:wrong-pw@no-such-host.invalid:6379",
		"answer the purpose": "",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			if url == "" {
				url = "redis://:right@" + m.Addr()
				if err := embedded.Ping(t.Context(), connect(t, url), url); err != nil {
					t.Error(err)
				}
				return
			}
			err := embedded.Ping(t.Context(), connect(t, url), url)
			if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
				t.Fatalf("Ping = %v, want %q", err, want)
			}
			if strings.Contains(err.Error(), "wrong-pw") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://u:p@h:1/2":                        "redis://***@h:1/2",
		"redis://:p/w@x@h:1,i:2":                   "redis://***@h:1,i:2",
		"unix:///run/a.sock":                       "unix:///run/a.sock",
		"redis-sentinel://h/m?sentinel_password=p": "redis-sentinel://h/m",
		"u:p@h:1": "redis://***@h:1",
	} {
		if got := embedded.Redact(url); got != want {
			t.Errorf("Redact(%q) = %q, want %q", url, got, want)
		}
	}
}

func TestClientLogRepeatsItselfSeldom(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out := &logs{}
	log := embedded.NewClientLog(out.logger(), func() time.Time { return now })
	for range 5 {
		log.Printf(t.Context(), "dial %s: %v", "h:1", io.EOF)
	}
	log.Printf(t.Context(), "another")
	now = now.Add(time.Minute)
	log.Printf(t.Context(), "dial %s: %v", "h:2", errors.New("refused"))
	got := out.String()
	for part, count := range map[string]int{
		"dial h:1: EOF": 1, "another": 1, "dial h:2: refused": 1, "omitted=4": 1, "level=WARN": 3,
	} {
		if n := strings.Count(got, part); n != count {
			t.Errorf("%q stands %d times in the log, want %d:\n%s", part, n, count, got)
		}
	}
}

func TestChildLogTellsWarningsFromChatter(t *testing.T) {
	t.Parallel()
	out := &logs{}
	log := embedded.NewChildLog(out.logger())
	for _, part := range []string{
		"7:M 24 Nov 2026 22:13:00.123 * Background AOF rewrite finished\n7:M 24 Nov 2026",
		" 22:13:00.124 # Disk is full\n",
		"7:M 24 Nov 2026 22:13:00.125 - 1 client\n*** FATAL ***\n\n",
	} {
		if n, err := io.WriteString(log.Writer(), part); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if got, want := log.LastWords(), "Disk is full; *** FATAL ***"; got != want {
		t.Errorf("last words %q, want %q", got, want)
	}
	if got := out.String(); strings.Contains(got, "rewrite") || strings.Count(got, "level=WARN") != 2 {
		t.Errorf("the log is\n%s", got)
	}
}
