// Package settings reads what runner and enqueue are told from outside: flags,
// then the environment, then defaults. A secret comes from the environment or
// from a file, never from a flag, and never prints.
package settings

import (
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/pflag"
)

// Settings are those that the two programs share. Call AddFlags, parse the
// flags, then call Load.
type Settings struct {
	// APIKey is the bearer token of the marketplace. It may be unset:
	// RequireAPIKey refuses that where the token is needed.
	APIKey Secret
	// APIURL has no trailing slash. It is https, or http to loopback. Default
	// https://www.hiretalents.com/api/v1.
	APIURL string
	// RedisURL may hold a password: do not print it. It may also come from the
	// file that REDIS_URL_FILE names. Default "": the embedded Redis.
	RedisURL string
	// DataDir is where the embedded Redis keeps its files. Default
	// .campaign-runner.
	DataDir string
	// Listen is host:port of the console; port 0 picks a free one. Default
	// 127.0.0.1:8080.
	Listen string
	// ConsoleToken opens the console. CheckListen tells where it is needed.
	ConsoleToken Secret
	// CallbackSecret is the last path segment of the callback URL. Unset:
	// callbacks are off.
	CallbackSecret Secret
	// Concurrency is how many operations are in flight in this process, from
	// 1 to 1024. Default 16.
	Concurrency int
	// RateLimit holds for all processes together. Default one a second.
	RateLimit RateLimit
	// APITimeout bounds one API request, from 100 ms to 10 m. Default 30 s.
	APITimeout time.Duration
	// SettleAfter is how long an operation of unknown outcome rests before it
	// is read back, from 1 ms to 24 h. Default 2 m.
	SettleAfter time.Duration
	// LogFormat is FormatText, FormatJSON, or "" for text on a terminal and
	// else json.
	LogFormat string
	// LogLevel is the least that is logged. Default slog.LevelInfo.
	LogLevel slog.Level
	// VolatileState allows real money over a Redis that forgets. Default
	// false. It is a flag alone.
	VolatileState bool
}

// Error is a setting that cannot be used. It is the user's to mend.
type Error struct {
	// Setting is the name of the environment variable.
	Setting string
	// Problem quotes the value, unless it is secret, and says what to do.
	Problem string
}

// Error is "SETTING: problem".
func (e *Error) Error() string { return e.Setting + ": " + e.Problem }

// AddFlags gives s its defaults and registers a flag for each setting that may
// have one.
func (s *Settings) AddFlags(fs *pflag.FlagSet) {
	*s = Settings{
		APIURL:      "https://www.hiretalents.com/api/v1",
		DataDir:     ".campaign-runner",
		Listen:      "127.0.0.1:8080",
		Concurrency: 16,
		RateLimit:   RateLimit{Count: 1, Per: time.Second},
		APITimeout:  30 * time.Second,
		SettleAfter: 2 * time.Minute,
	}
	for _, f := range s.fields() {
		usage := f.usage
		if f.env != "" {
			usage += " [" + f.env + "]"
		}
		flag := fs.VarPF(f.value, f.flag, "", usage)
		if f.value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
}

// Load takes the environment for whatever no flag of fs has set, reads the
// secrets and checks them. getenv is os.Getenv; a variable that is empty counts
// as unset. The error joins an *Error for each setting that is wrong.
func (s *Settings) Load(fs *pflag.FlagSet, getenv func(string) string) error {
	var errs []error
	for _, f := range s.fields() {
		if fs.Changed(f.flag) {
			continue
		}
		if err := f.load(getenv); err != nil {
			errs = append(errs, err)
		}
	}
	for _, f := range s.secrets() {
		if err := f.load(getenv); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// field is a setting by its names.
type field struct {
	env, flag string
	value     pflag.Value
	usage     string
}

// load takes the setting from the environment, where it is set.
func (f field) load(getenv func(string) string) error {
	text := getenv(f.env)
	if f.env == redisURL {
		var err error
		if text, err = fromEnvOrFile(f.env, getenv); err != nil {
			return err
		}
	}
	if f.env == "" || text == "" {
		return nil
	}
	if err := f.value.Set(text); err != nil {
		return &Error{f.env, err.Error()}
	}
	return nil
}

// redisURL is the one setting with a flag that may also come from a file: it
// often holds a password.
const redisURL = "REDIS_URL"

// fields are all settings that are not secret.
func (s *Settings) fields() []field {
	return []field{
		{"HIRETALENTS_API_URL", "api-url", bind(&s.APIURL, "url", parseAPIURL),
			"the marketplace's API; http:// only to a loopback address"},
		{redisURL, "redis", hidden{bind(&s.RedisURL, "url", parseAny)},
			"redis://, rediss://, unix://, redis-sentinel://, or the hosts of a cluster with commas; empty: embedded"},
		{"RUNNER_DATA_DIR", "data-dir", bind(&s.DataDir, "folder", parseAny),
			"where the embedded Redis keeps its files"},
		{"RUNNER_LISTEN", "listen", bind(&s.Listen, "host:port", parseListen),
			"console, metrics, health and callbacks; port 0 picks one"},
		{"RUNNER_CONCURRENCY", "concurrency", bind(&s.Concurrency, "n", parseConcurrency),
			"operations in flight in this process"},
		{"RUNNER_RATE_LIMIT", "rate-limit", bind(&s.RateLimit, "n/s", ParseRateLimit),
			"API requests of all processes together: N/s, N/m, N/h or off"},
		{"RUNNER_API_TIMEOUT", "api-timeout", bind(&s.APITimeout, "duration", between(100*time.Millisecond, 10*time.Minute)),
			"one API request"},
		{"RUNNER_SETTLE_AFTER", "settle-after", bind(&s.SettleAfter, "duration", between(time.Millisecond, 24*time.Hour)),
			"how long an operation of unknown outcome rests before it is read back"},
		{"RUNNER_LOG_FORMAT", "log-format", bind(&s.LogFormat, "format", parseFormat),
			"text or json; empty: text on a terminal, else json"},
		{"RUNNER_LOG_LEVEL", "log-level", bind(&s.LogLevel, "level", parseLevel),
			"debug, info, warn or error"},
		{"", "volatile-state", bind(&s.VolatileState, "bool", parseBool),
			"allow real campaigns on a Redis that keeps nothing on disk"},
	}
}

// secrets are the settings that no flag may hold.
func (s *Settings) secrets() []secretField {
	return []secretField{
		{"HIRETALENTS_API_KEY", &s.APIKey, isWord},
		{"RUNNER_CONSOLE_TOKEN", &s.ConsoleToken, isWord},
		{"RUNNER_CALLBACK_SECRET", &s.CallbackSecret, isSegment},
	}
}
