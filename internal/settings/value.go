package settings

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// bound is a pflag.Value that parses into a setting.
type bound[T any] struct {
	target *T
	kind   string
	parse  func(string) (T, error)
}

func bind[T any](target *T, kind string, parse func(string) (T, error)) *bound[T] {
	return &bound[T]{target, kind, parse}
}

// Set parses text; the setting keeps its value when that fails.
func (b *bound[T]) Set(text string) error {
	v, err := b.parse(text)
	if err == nil {
		*b.target = v
	}
	return err
}

func (b *bound[T]) String() string { return fmt.Sprint(*b.target) }

func (b *bound[T]) Type() string { return b.kind }

// hidden is a setting that may hold a password.
type hidden struct{ *bound[string] }

func (h hidden) String() string {
	if *h.target == "" {
		return ""
	}
	return redacted
}

func parseAny(text string) (string, error) { return text, nil }

func parseBool(text string) (bool, error) {
	v, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", text)
	}
	return v, nil
}

func parseConcurrency(text string) (int, error) {
	const most = 1024
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%q is no count of operations: give a whole number from 1 to %d", text, most)
	}
	return n, nil
}

func between(least, most time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("%q does not fit: give a duration from %s to %s, such as 45s", text, least, most)
		}
		return d, nil
	}
}

func parseListen(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("%q is no address: give host:port, such as 127.0.0.1:8080", text)
	}
	return text, nil
}

// Formats of the log.
const (
	FormatText = "text"
	FormatJSON = "json"
)

func parseFormat(text string) (string, error) {
	if text != "" && text != FormatText && text != FormatJSON {
		return "", fmt.Errorf("%q is no format of a log: give text or json", text)
	}
	return text, nil
}

func parseLevel(text string) (slog.Level, error) {
	var level slog.Level
	// slog also takes steps between the levels, which nothing here logs at.
	if err := level.UnmarshalText([]byte(text)); err != nil || strings.ContainsAny(text, "+-") {
		return 0, fmt.Errorf("%q is no level of a log: give debug, info, warn or error", text)
	}
	return level, nil
}
