package embedded

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Schemes of Redis URLs.
const (
	schemePlain    = "redis"
	schemeTLS      = "rediss"
	schemeUnix     = "unix"
	schemeSentinel = "redis-sentinel"
)

// target is a Redis URL taken apart, secrets first, so that whatever complains
// about the rest cannot repeat them.
type target struct {
	scheme         string
	user, password string
	hosts          []string
	// path is the database's, or the socket's.
	path  string
	query url.Values

	// The rest is for Sentinel.
	master                         string
	sentinelUser, sentinelPassword string
}

// parseTarget takes a URL apart. A list of bare hosts is a cluster.
func parseTarget(raw string) (target, error) {
	scheme, rest, found := strings.Cut(strings.TrimSpace(raw), "://")
	if !found && strings.Contains(raw, ",") {
		scheme, rest, found = schemePlain, scheme, true
	}
	t := target{scheme: scheme}
	if !found {
		return t, errors.New("the address of redis is no URL: write it as redis://host:port, " +
			"rediss://host:port, unix:///path or redis-sentinel://host:port,host:port/master")
	}
	switch scheme {
	case schemePlain, schemeTLS, schemeUnix, schemeSentinel:
	default:
		return t, errors.New("the address of redis begins with an unknown scheme: " +
			"choose redis://, rediss://, unix:// or redis-sentinel://")
	}
	userinfo, rest := splitUserinfo(scheme, rest)
	if err := t.setUserinfo(userinfo); err != nil {
		return t, err
	}
	rest, query, _ := strings.Cut(rest, "?")
	if err := t.setQuery(query); err != nil {
		return t, err
	}
	return t, t.setPlace(rest)
}

// splitUserinfo cuts at the last @, since a password may hold one; hosts and
// databases do not. A socket's path may, so there it must stand before a slash.
func splitUserinfo(scheme, rest string) (userinfo, place string) {
	at := strings.LastIndex(rest, "@")
	if scheme == schemeUnix {
		at = strings.Index(rest, "@/")
		if strings.HasPrefix(rest, "/") {
			at = -1
		}
	}
	if at < 0 {
		return "", rest
	}
	return rest[:at], rest[at+1:]
}

func (t *target) setUserinfo(s string) error {
	user, password, _ := strings.Cut(s, ":")
	var err1, err2 error
	t.user, err1 = url.PathUnescape(user)
	t.password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return errors.New("the user or password of the redis URL holds a % that begins no escape: write it as %25")
	}
	return nil
}

func (t *target) setQuery(s string) error {
	var err error
	if t.query, err = url.ParseQuery(s); err != nil {
		return errors.New("the part after ? in the redis URL is not of the form name=value&name=value")
	}
	t.sentinelUser = t.query.Get("sentinel_username")
	t.sentinelPassword = t.query.Get("sentinel_password")
	t.query.Del("sentinel_username")
	t.query.Del("sentinel_password")
	return nil
}

// setPlace reads hosts and path, or the path of a socket.
func (t *target) setPlace(rest string) error {
	if t.scheme == schemeUnix {
		path, err := url.PathUnescape(rest)
		if err != nil || !strings.HasPrefix(path, "/") {
			return errors.New("redis URL unix://: write the socket's full path, as in unix:///run/redis.sock")
		}
		t.path = path
		return nil
	}
	// A list may repeat the scheme before each host.
	rest = strings.ReplaceAll(rest, ","+t.scheme+"://", ",")
	hosts, path, _ := strings.Cut(rest, "/")
	t.hosts, t.path = strings.Split(hosts, ","), path
	for _, h := range t.hosts {
		if h == "" {
			return fmt.Errorf("redis URL %s://%s: a host is missing", t.scheme, rest)
		}
	}
	if t.scheme != schemeSentinel {
		return nil
	}
	t.master, t.path, _ = strings.Cut(t.path, "/")
	if t.master == "" {
		return fmt.Errorf("redis URL %s://%s: add the master's name, as in redis-sentinel://host:26379/mymaster",
			t.scheme, rest)
	}
	return nil
}

// plain is the URL for go-redis to parse: one host, the others as addr=, and
// nothing secret.
func (t target) plain() string {
	u := url.URL{Scheme: t.scheme, Path: t.path}
	query := t.query
	if t.scheme != schemeUnix {
		u.Host, u.Path = withPort(t.scheme, t.hosts[0]), "/"+t.path
		for _, h := range t.hosts[1:] {
			query.Add("addr", withPort(t.scheme, h))
		}
	}
	if t.scheme == schemeSentinel {
		u.Scheme = schemePlain
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// withPort adds the usual port of Sentinel to a host without one; go-redis
// knows that of Redis.
func withPort(scheme, host string) string {
	i := strings.LastIndex(host, ":")
	if i >= 0 && !strings.HasSuffix(host, "]") {
		return host
	}
	if scheme == schemeSentinel {
		return host + ":26379"
	}
	return host + ":6379"
}

// fault wraps what go-redis says of a URL that holds no secret any more.
func (t target) fault(err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return fmt.Errorf("redis URL for %s: %w", strings.Join(t.hosts, ","), err)
}

// Redact is the URL with user, password and parameters left out, for logs and
// errors.
func Redact(raw string) string {
	scheme, rest, found := strings.Cut(strings.TrimSpace(raw), "://")
	if !found {
		scheme, rest = schemePlain, scheme
	}
	userinfo, place := splitUserinfo(scheme, rest)
	place, _, _ = strings.Cut(place, "?")
	if userinfo != "" {
		place = "***@" + place
	}
	return scheme + "://" + place
}
