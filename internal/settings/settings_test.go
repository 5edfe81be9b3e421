package settings_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/settings"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// load reads settings from flags and an environment.
func load(t *testing.T, args []string, env map[string]string) (*settings.Settings, error) {
	t.Helper()
	s := &settings.Settings{}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	return s, s.Load(fs, func(name string) string { return env[name] })
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, err := load(t, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &settings.Settings{
		APIURL: "https://www.hiretalents.com/api/v1", DataDir: ".campaign-runner", Listen: "127.0.0.1:8080",
		Concurrency: 16, RateLimit: settings.RateLimit{Count: 1, Per: time.Second},
		APITimeout: 30 * time.Second, SettleAfter: 2 * time.Minute, LogLevel: slog.LevelInfo,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameSecret)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func sameSecret(a, b settings.Secret) bool { return a.Reveal() == b.Reveal() }

func TestFlagsOverrideTheEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"HIRETALENTS_API_KEY": " key\n", "HIRETALENTS_API_URL": "http://127.0.0.1:9/v1/",
		"REDIS_URL": "redis://:pw@env:1", "RUNNER_DATA_DIR": "/env", "RUNNER_LISTEN": "[::1]:0",
		"RUNNER_CONSOLE_TOKEN": "token", "RUNNER_CALLBACK_SECRET": "a-b_c.1~a-b_c.1~", "RUNNER_CONCURRENCY": "3",
		"RUNNER_RATE_LIMIT": "off", "RUNNER_API_TIMEOUT": "5s", "RUNNER_SETTLE_AFTER": "1h",
		"RUNNER_LOG_FORMAT": "json", "RUNNER_LOG_LEVEL": "warn",
	}
	fromEnv := settings.Settings{
		APIKey: settings.NewSecret("key"), APIURL: "http://127.0.0.1:9/v1", RedisURL: "redis://:pw@env:1",
		DataDir: "/env", Listen: "[::1]:0", ConsoleToken: settings.NewSecret("token"),
		CallbackSecret: settings.NewSecret("a-b_c.1~a-b_c.1~"), Concurrency: 3, APITimeout: 5 * time.Second,
		SettleAfter: time.Hour, LogFormat: "json", LogLevel: slog.LevelWarn,
	}
	fromFlags := fromEnv
	fromFlags.APIURL, fromFlags.RedisURL, fromFlags.DataDir = "https://flag.example", "unix:///flag", "/flag"
	fromFlags.Listen, fromFlags.Concurrency = "127.0.0.1:1", 4
	fromFlags.RateLimit = settings.RateLimit{Count: 90, Per: time.Minute}
	fromFlags.APITimeout, fromFlags.SettleAfter = 6*time.Second, 2*time.Hour
	fromFlags.LogFormat, fromFlags.LogLevel, fromFlags.VolatileState = "text", slog.LevelDebug, true

	for name, test := range map[string]struct {
		args []string
		want settings.Settings
	}{
		"environment": {nil, fromEnv},
		"flags": {[]string{"--api-url=https://flag.example/", "--redis=unix:///flag", "--data-dir=/flag",
			"--listen=127.0.0.1:1", "--concurrency=4", "--rate-limit=90/m", "--api-timeout=6s", "--settle-after=2h",
			"--log-format=text", "--log-level=DEBUG", "--volatile-state"}, fromFlags},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := load(t, test.args, env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got, cmp.Comparer(sameSecret)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestEmptyVariablesCountAsUnset(t *testing.T) {
	t.Parallel()
	s, err := load(t, nil, map[string]string{"RUNNER_CONCURRENCY": "", "HIRETALENTS_API_KEY": ""})
	if err != nil || s.Concurrency != 16 || s.APIKey.IsSet() {
		t.Errorf("concurrency %d, key set %v, %v", s.Concurrency, s.APIKey.IsSet(), err)
	}
}

func TestWrongSettingsAreNamedWithTheirValueAndAdvice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ env, flag, value, advice string }{
		{"HIRETALENTS_API_URL", "api-url", "http://example.com", "https://"},
		{"HIRETALENTS_API_URL", "api-url", "http://127.0.0.1.example.com", "https://"},
		{"HIRETALENTS_API_URL", "api-url", "ftp://example.com", "neither"},
		{"HIRETALENTS_API_URL", "api-url", "example.com", "such as"},
		{"HIRETALENTS_API_URL", "api-url", "https://example.com/?q", "such as"},
		{"RUNNER_LISTEN", "listen", "8080", "host:port"},
		{"RUNNER_LISTEN", "listen", "127.0.0.1:http", "host:port"},
		{"RUNNER_LISTEN", "listen", "127.0.0.1:65536", "host:port"},
		{"RUNNER_CONCURRENCY", "concurrency", "0", "from 1 to 1024"},
		{"RUNNER_CONCURRENCY", "concurrency", "many", "from 1 to 1024"},
		{"RUNNER_RATE_LIMIT", "rate-limit", "1", "such as"},
		{"RUNNER_RATE_LIMIT", "rate-limit", "0/s", "such as"},
		{"RUNNER_RATE_LIMIT", "rate-limit", "-1/s", "such as"},
		{"RUNNER_RATE_LIMIT", "rate-limit", "0.5/s", "such as"},
		{"RUNNER_RATE_LIMIT", "rate-limit", "5/d", "such as"},
		{"RUNNER_API_TIMEOUT", "api-timeout", "30", "such as"},
		{"RUNNER_API_TIMEOUT", "api-timeout", "11m", "from 100ms to 10m"},
		{"RUNNER_SETTLE_AFTER", "settle-after", "0s", "from 1ms"},
		{"RUNNER_LOG_FORMAT", "log-format", "xml", "text or json"},
		{"RUNNER_LOG_LEVEL", "log-level", "loud", "debug, info"},
		{"RUNNER_LOG_LEVEL", "log-level", "info+1", "debug, info"},
	} {
		t.Run(test.env+"="+test.value, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, nil, map[string]string{test.env: test.value})
			var fault *settings.Error
			if !errors.As(err, &fault) || fault.Setting != test.env {
				t.Fatalf("error %v, want an Error of %s", err, test.env)
			}
			for _, part := range []string{`"` + test.value + `"`, test.advice} {
				if !strings.Contains(fault.Problem, part) {
					t.Errorf("%v: it does not say %q", err, part)
				}
			}
			_, err = load(t, []string{"--" + test.flag, test.value}, nil)
			if err == nil || !strings.Contains(err.Error(), "--"+test.flag) || !strings.Contains(err.Error(), test.advice) {
				t.Errorf("as a flag: %v", err)
			}
		})
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(t, nil, map[string]string{
		"RUNNER_LISTEN": "x", "RUNNER_RATE_LIMIT": "x", "RUNNER_CALLBACK_SECRET": "a/b"})
	for _, name := range []string{"RUNNER_LISTEN", "RUNNER_RATE_LIMIT", "RUNNER_CALLBACK_SECRET"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: it does not name %s", err, name)
		}
	}
}

func TestNoFlagShowsAPassword(t *testing.T) {
	t.Parallel()
	s := &settings.Settings{}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.AddFlags(fs)
	if err := fs.Parse([]string{"--redis=redis://:canary@h:1"}); err != nil {
		t.Fatal(err)
	}
	if got := fs.Lookup("redis").Value.String(); strings.Contains(got, "canary") {
		t.Errorf("--redis prints as %q", got)
	}
	for _, name := range []string{"api-key", "key", "console-token", "callback-secret"} {
		if fs.Lookup(name) != nil {
			t.Errorf("there is a flag --%s", name)
		}
	}
	_, err := load(t, nil, map[string]string{"HIRETALENTS_API_URL": "https://canary@example.com"})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a key inside the URL: %v", err)
	}
}

func TestRateLimitReadsWhatItPrints(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1/s", "90/m", "2000/h", "off"} {
		r, err := settings.ParseRateLimit(text)
		if err != nil || r.String() != text || r.Off() != (text == "off") {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
}

func TestLoggerChoosesItsFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format   string
		terminal bool
		json     bool
	}{
		{"", true, false}, {"", false, true}, {"text", false, false}, {"json", true, true},
	} {
		var buf bytes.Buffer
		s := settings.Settings{LogFormat: test.format, LogLevel: slog.LevelWarn}
		log := s.Logger(&buf, test.terminal)
		log.Info("unheard")
		log.Warn("heard", "key", settings.NewSecret("canary"))
		got := buf.String()
		if strings.HasPrefix(got, "{") != test.json || strings.Contains(got, "unheard") || strings.Contains(got, "canary") {
			t.Errorf("format %q, terminal %v: %s", test.format, test.terminal, got)
		}
	}
}

func TestACallbackSecretThatCanBeGuessedIsRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"":                     "",
		"0123456789abcdef":     "",
		"0123456789abcde":      "fewer than 16 characters",
		"  0123456789abcde  ":  "fewer than 16 characters",
		"0123456789abcdef/../": "cannot stand in a path",
	} {
		s, err := load(t, nil, map[string]string{"RUNNER_CALLBACK_SECRET": text})
		if why == "" {
			if err != nil || s.CallbackSecret.Reveal() != text {
				t.Errorf("%q: %q, %v", text, s.CallbackSecret.Reveal(), err)
			}
			continue
		}
		var fault *settings.Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "0123") {
			t.Errorf("%q: %v, want %q and not the secret", text, err, why)
		}
	}
}
