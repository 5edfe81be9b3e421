package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Options say what a client is for.
type Options struct {
	// Once sends each command at most once and heeds the deadline of its
	// context, for scripts that move money: an error then means that the
	// outcome must be read. Default false: commands are sent again after a
	// network error, which suits the task queue.
	Once bool
	// PoolSize is how many connections the client may open to each server.
	// Default 0: ten for each CPU, or what the URL says.
	PoolSize int
	// OnConnect is told of each new connection, before it is used, with what the
	// server answers to INFO; "" where it does not answer. Nil: nobody is told.
	OnConnect func(info string)
}

// told is the hook of go-redis for OnConnect.
func (o Options) told() func(context.Context, *redis.Conn) error {
	if o.OnConnect == nil {
		return nil
	}
	return func(ctx context.Context, conn *redis.Conn) error {
		info, err := conn.Info(ctx).Result()
		var answered redis.Error
		if err != nil && !errors.As(err, &answered) {
			return err
		}
		o.OnConnect(info)
		return nil
	}
}

// Connect makes a client for a Redis by its URL. It dials when it is first
// used; Ping tells whether anyone is there. The forms are:
//
//	redis://[user:password@]host[:port][/db]      rediss:// for TLS
//	unix://[user:password@]/path/to/socket[?db=n]
//	redis-sentinel://[user:password@]host[:port],host[:port]/master[/db]
//	redis://[user:password@]host:port,host:port    a cluster
//
// The password may hold any character; %xx is decoded. A Sentinel with a
// password of its own takes ?sentinel_password=. No error shows a password.
func Connect(url string, opts Options) (redis.UniversalClient, error) {
	target, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	switch {
	case target.master != "":
		return connectSentinel(target, opts)
	case len(target.hosts) > 1:
		return connectCluster(target, opts)
	default:
		return connectSingle(target, opts)
	}
}

// disabledNotices keeps go-redis from asking for notices of maintenance, which
// only Redis Cloud sends; others count the question as an error.
func disabledNotices() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

func connectSingle(t target, opts Options) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(t.plain())
	if err != nil {
		return nil, t.fault(err)
	}
	o.Username, o.Password = t.user, t.password
	o.DisableIdentity = true
	o.OnConnect = opts.told()
	o.MaintNotificationsConfig = disabledNotices()
	if opts.PoolSize > 0 {
		o.PoolSize = opts.PoolSize
	}
	if opts.Once {
		o.MaxRetries = -1
		o.ContextTimeoutEnabled = true
	}
	return redis.NewClient(o), nil
}

func connectCluster(t target, opts Options) (redis.UniversalClient, error) {
	if db := strings.Trim(t.path, "/"); db != "" && db != "0" {
		return nil, t.fault(fmt.Errorf("database %q: a cluster has only database 0", db))
	}
	t.path = ""
	o, err := redis.ParseClusterURL(t.plain())
	if err != nil {
		return nil, t.fault(err)
	}
	o.Username, o.Password = t.user, t.password
	if o.TLSConfig != nil {
		o.TLSConfig.ServerName = "" // each node goes by its own name
	}
	o.DisableIdentity = true
	o.OnConnect = opts.told()
	o.MaintNotificationsConfig = disabledNotices()
	if opts.PoolSize > 0 {
		o.PoolSize = opts.PoolSize
	}
	if opts.Once {
		// A cluster client counts redirects and retries as one.
		o.MaxRetries, o.MaxRedirects = -1, -1
		o.ContextTimeoutEnabled = true
	}
	return redis.NewClusterClient(o), nil
}

func connectSentinel(t target, opts Options) (redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(t.plain())
	if err != nil {
		return nil, t.fault(err)
	}
	o.MasterName = t.master
	o.Username, o.Password = t.user, t.password
	o.SentinelUsername, o.SentinelPassword = t.sentinelUser, t.sentinelPassword
	o.DisableIdentity = true
	o.OnConnect = opts.told()
	if opts.PoolSize > 0 {
		o.PoolSize = opts.PoolSize
	}
	if opts.Once {
		o.MaxRetries = -1
		o.ContextTimeoutEnabled = true
	}
	return redis.NewFailoverClient(o), nil
}

// Ping tells whether the Redis behind client answers. Its error names url
// without the password and says what to do.
func Ping(ctx context.Context, client redis.UniversalClient, url string) error {
	err := client.Ping(ctx).Err()
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis at %s: %s: %w", Redact(url), advice(err), err)
}

// advice turns an error of a first contact into what to do about it.
func advice(err error) string {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	text := err.Error()
	switch {
	case strings.HasPrefix(text, "NOAUTH"), strings.HasPrefix(text, "WRONGPASS"),
		strings.Contains(text, "AUTH"):
		return "user or password refused: correct them in REDIS_URL"
	case strings.HasPrefix(text, "LOADING"):
		return "still loading its data: try again in a moment"
	case errors.As(err, &cert):
		return "its certificate is not trusted here: set SSL_CERT_FILE to that of its authority, and give the host as the certificate names it"
	case errors.As(err, &dns):
		return "host not found: correct it in REDIS_URL"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return "nobody listens there: start it or correct REDIS_URL"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: check that it runs and that the network lets you through"
	default:
		return "no contact: check that it runs and that REDIS_URL is right"
	}
}
