package doctor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/doctor"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// level is the finding about a subject.
func finding(t *testing.T, found []doctor.Finding, subject string) doctor.Finding {
	t.Helper()
	i := slices.IndexFunc(found, func(f doctor.Finding) bool { return f.Subject == subject })
	if i < 0 {
		t.Fatalf("nothing is said of %s: %v", subject, found)
	}
	return found[i]
}

func wants(t *testing.T, found []doctor.Finding, subject string, level doctor.Level, text string) {
	t.Helper()
	if f := finding(t, found, subject); f.Level != level || !strings.Contains(f.String(), text) {
		t.Errorf("%s is %s: %s; want %s with %q", subject, f.Level, f, level, text)
	}
}

// answers is a Redis that says what a test wants.
type answers struct {
	redis.UniversalClient
	info   string
	config map[string]string
	time   time.Time
}

func (a answers) Info(context.Context, ...string) *redis.StringCmd {
	return redis.NewStringResult(a.info, nil)
}

func (a answers) ConfigGet(_ context.Context, name string) *redis.MapStringStringCmd {
	if a.config == nil {
		return redis.NewMapStringStringResult(nil, errors.New("NOPERM"))
	}
	return redis.NewMapStringStringResult(map[string]string{name: a.config[name]}, nil)
}

func (a answers) Time(context.Context) *redis.TimeCmd {
	return redis.NewTimeCmdResult(a.time, nil)
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func TestWhatARedisMayDoToTheBooks(t *testing.T) {
	t.Parallel()
	good := map[string]string{"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always"}
	with := func(name, value string) map[string]string {
		out := map[string]string{}
		for k, v := range good {
			out[k] = v
		}
		out[name] = value
		return out
	}
	const info = "redis_version:7.0.15\r\naof_enabled:1\r\nused_memory:2097152\r\nmaxmemory:0\r\n"
	for name, c := range map[string]struct {
		redis         answers
		play          bool
		subject, text string
		level         doctor.Level
	}{
		"all is well":          {answers{info: info, config: good}, false, "redis persistence", "on disk", doctor.OK},
		"the version":          {answers{info: info, config: good}, false, "redis version", "7.0.15", doctor.OK},
		"an old version":       {answers{info: "redis_version:6.0.9\r\n", config: good}, false, "redis version", "install 6.2", doctor.Error},
		"no version":           {answers{info: "", config: good}, false, "redis version", "6.2 or later", doctor.Warning},
		"all keys evicted":     {answers{info: info, config: with("maxmemory-policy", "allkeys-lru")}, true, "redis eviction", "noeviction", doctor.Error},
		"locks evicted":        {answers{info: info, config: with("maxmemory-policy", "volatile-ttl")}, false, "redis eviction", "noeviction", doctor.Error},
		"locks evicted, local": {answers{info: info, config: with("maxmemory-policy", "volatile-ttl")}, true, "redis eviction", "noeviction", doctor.Warning},
		"eviction from INFO":   {answers{info: info + "maxmemory_policy:allkeys-lfu\r\n"}, false, "redis eviction", "throw the books away", doctor.Error},
		"eviction not told":    {answers{info: info}, false, "redis eviction", "make sure", doctor.Warning},
		"nothing kept":         {answers{info: "aof_enabled:0\r\n", config: with("appendonly", "no")}, false, "redis persistence", "appendonly yes", doctor.Error},
		"nothing kept, local":  {answers{info: "aof_enabled:0\r\n", config: with("appendonly", "no")}, true, "redis persistence", "this machine only", doctor.Warning},
		"kept every second":    {answers{info: info, config: with("appendfsync", "everysec")}, false, "redis persistence", "last second", doctor.Warning},
		"a full disk":          {answers{info: info + "aof_last_write_status:err\r\n", config: good}, false, "redis persistence", "make room", doctor.Error},
		"replicas not waited for": {
			answers{info: info + "connected_slaves:1\r\n", config: with("min-replicas-to-write", "0")},
			false, "redis replicas", "min-replicas-to-write 1", doctor.Warning,
		},
		"replicas waited for": {
			answers{info: info + "connected_slaves:2\r\n", config: with("min-replicas-to-write", "1")},
			false, "redis replicas", "takes no writes", doctor.OK,
		},
		"replicas not told of": {answers{info: info + "connected_slaves:1\r\n"}, false, "redis replicas", "make sure", doctor.Warning},
		"memory without limit": {answers{info: info, config: good}, false, "redis memory", "2048 KiB in use", doctor.OK},
		"little memory left":   {answers{info: "used_memory:85\r\nmaxmemory:100\r\n", config: good}, false, "redis memory", "85 %", doctor.Warning},
		"no memory left":       {answers{info: "used_memory:99\r\nmaxmemory:100\r\n", config: good}, false, "redis memory", "raise maxmemory", doctor.Error},
		"clocks agree":         {answers{info: info, config: good, time: noon.Add(time.Second)}, false, "redis clock", "agrees", doctor.OK},
		"clocks differ":        {answers{info: info, config: good, time: noon.Add(5 * time.Second)}, false, "redis clock", "5s", doctor.Warning},
		"clocks differ much":   {answers{info: info, config: good, time: noon.Add(-time.Hour)}, false, "redis clock", "time server", doctor.Error},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wants(t, doctor.Redis(t.Context(), c.redis, c.play, at(noon)), c.subject, c.level, c.text)
		})
	}
}

func TestARealRedis(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	rdb, err := embedded.Connect(server.URL(), embedded.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	there, err := rdb.Time(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range doctor.Redis(t.Context(), rdb, false, at(there)) {
		if f.Level == doctor.Error {
			t.Errorf("%s: %s", f.Subject, f)
		}
	}
	if server.Durable() {
		if err := rdb.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
			t.Fatal(err)
		}
		wants(t, doctor.Redis(t.Context(), rdb, false, at(there)), "redis eviction", doctor.Error, "allkeys-lru")
	}
}

func TestTheClockOfTheAPI(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		date  string
		level doctor.Level
	}{
		"right":    {noon.Format(http.TimeFormat), doctor.OK},
		"off":      {noon.Add(10 * time.Second).Format(http.TimeFormat), doctor.Warning},
		"far off":  {noon.Add(-2 * time.Minute).Format(http.TimeFormat), doctor.Error},
		"not told": {"", doctor.Warning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					t.Error("the key was sent")
				}
				w.Header()["Date"] = nil
				if c.date != "" {
					w.Header().Set("Date", c.date)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(http.StatusFound)
			}))
			t.Cleanup(server.Close)
			wants(t, doctor.Clock(t.Context(), server.URL, time.Minute, at(noon)), "api clock", c.level, "")
		})
	}
	wants(t, doctor.Clock(t.Context(), "http://127.0.0.1:1/", time.Minute, at(noon)), "api address", doctor.Error, "check HIRETALENTS_API_URL")
}

// market answers a question for the account.
type market struct {
	me  api.Account
	err error
}

func (m market) Me(context.Context) (api.Account, error) { return m.me, m.err }

func TestTheAccount(t *testing.T) {
	t.Parallel()
	me := api.Account{ID: 7, Balance: 1_500_000}
	for name, c := range map[string]struct {
		market market
		owner  string
		level  doctor.Level
		text   string
	}{
		"its books":         {market{me: me}, "7", doctor.OK, "account 7 holds 1.5 USD"},
		"no books yet":      {market{me: me}, "", doctor.OK, "account 7"},
		"another's books":   {market{me: me}, "8", doctor.Error, "the books of account 8"},
		"a key not taken":   {market{err: &api.Error{Reason: api.ReasonUnauthorized}}, "7", doctor.Error, "HIRETALENTS_API_KEY"},
		"an API that fails": {market{err: errors.New("down")}, "7", doctor.Error, "down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wants(t, doctor.Account(t.Context(), c.market, c.owner, at(noon)), "api account", c.level, c.text)
		})
	}
}

func TestSettingsAndFolders(t *testing.T) {
	t.Parallel()
	s := &settings.Settings{APIURL: "https://www.hiretalents.com/api/v1", Listen: "0.0.0.0:8080"}
	found := doctor.Settings(s, nil)
	wants(t, found, "api key", doctor.Error, "HIRETALENTS_API_KEY")
	wants(t, found, "console", doctor.Error, "RUNNER_CONSOLE_TOKEN")
	wants(t, found, "money", doctor.OK, "real money")
	found = doctor.Settings(s, errors.Join(errors.New("first"), errors.New("second")))
	wants(t, found, "settings", doctor.Error, "first")

	dir := t.TempDir()
	wants(t, []doctor.Finding{doctor.Folder("data", filepath.Join(dir, "new", "deep"))}, "data", doctor.OK, "can be written to")
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("the folder was made")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, []doctor.Finding{doctor.Folder("data", file)}, "data", doctor.Error, "is no folder")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("it left %v behind: %v", left, err)
	}
}
