package settings

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// minToken is the length in characters below which a token of the console can
// be guessed.
const minToken = 16

// parseAPIURL takes https, or http to loopback, and cuts the trailing slash.
func parseAPIURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is no address of an API: give one such as https://www.hiretalents.com/api/v1",
			hideUser(text))
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		return "", fmt.Errorf("%q would send the API key in clear: write https://", text)
	default:
		return "", fmt.Errorf("%q is neither https:// nor http://", text)
	}
	return strings.TrimRight(text, "/"), nil
}

// hideUser cuts the part of a URL where someone may have put the key.
func hideUser(text string) string {
	if _, rest, found := strings.Cut(text, "@"); found {
		return "…@" + rest
	}
	return text
}

// isLoopback reports whether a host is this machine for sure.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// RequireAPIKey is an *Error when there is no API key.
func (s *Settings) RequireAPIKey() error {
	if s.APIKey.IsSet() {
		return nil
	}
	return &Error{"HIRETALENTS_API_KEY", "is not set: set it to your API token, " +
		"or set HIRETALENTS_API_KEY_FILE to a file of mode 0600 that holds it"}
}

// CheckListen is an *Error when the console would be open to others without a
// token of at least 16 characters.
func (s *Settings) CheckListen() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err == nil && isLoopback(host) {
		return nil
	}
	if len(s.ConsoleToken.Reveal()) >= minToken {
		return nil
	}
	return &Error{"RUNNER_LISTEN", fmt.Sprintf("%q can be reached from other machines: set RUNNER_CONSOLE_TOKEN "+
		"(or RUNNER_CONSOLE_TOKEN_FILE) to at least %d characters, or listen on 127.0.0.1", s.Listen, minToken)}
}

// LocalAPI reports whether the API is on this machine, as the sandbox is, so
// that no real money is at stake.
func (s *Settings) LocalAPI() bool {
	u, err := url.Parse(s.APIURL)
	return err == nil && isLoopback(u.Hostname())
}

// CheckState is an *Error when real money would depend on a Redis that forgets.
// durable tells of the embedded Redis whether it keeps its state.
func (s *Settings) CheckState(durable bool) error {
	if durable || s.VolatileState || s.LocalAPI() {
		return nil
	}
	return &Error{"REDIS_URL", "is not set and there is no redis-server in PATH, so state would be lost at exit " +
		"and money spent twice: install redis-server, set REDIS_URL, or accept it with --volatile-state"}
}

// Logger writes to w in the format and from the level that are set.
func (s *Settings) Logger(w io.Writer, terminal bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == FormatText || (s.LogFormat == "" && terminal) {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}
