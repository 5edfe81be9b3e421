package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"time"
)

// pollEvery is the pause between two looks at a redis-server that starts or
// ends. It needs some 40 ms for either.
const pollEvery = 10 * time.Millisecond

// The oldest redis-server that the task queue works with.
const oldestMajor, oldestMinor = 6, 2

// versionLine finds the version in the answer to INFO.
var versionLine = regexp.MustCompile(`(?m)^redis_version:((\d+)\.(\d+)[^\r\n]*)`)

// ready waits until the child answers and has loaded its files.
func (c *child) ready(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin,
		fmt.Errorf("redis-server was not ready within %s: look at its log with --log-level debug", readyWithin))
	defer cancel()
	if err := c.poll(ctx, func() bool { return c.listens(ctx) }); err != nil {
		return err
	}
	client, err := Connect(addr, Options{Once: true, PoolSize: 1})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	loaded := func() bool { return client.Ping(ctx).Err() == nil }
	if err := c.poll(ctx, loaded); err != nil {
		return err
	}
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("redis-server does not tell its version: %w", err)
	}
	return checkVersion(info)
}

// listens reports whether the socket takes connections.
func (c *child) listens(ctx context.Context) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.socket.path)
	return err == nil && conn.Close() == nil
}

// poll asks until the answer is yes, the child ends, or ctx does.
func (c *child) poll(ctx context.Context, yes func() bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.done:
			return fmt.Errorf("%w (its files are in %q)", c.death(), c.home)
		case <-tick.C:
		}
	}
	return nil
}

// checkVersion reads the answer to INFO and refuses a server on which the task
// queue would fail later, and silently.
func checkVersion(info string) error {
	m := versionLine.FindStringSubmatch(info)
	if m == nil {
		return errors.New("redis-server does not tell its version: install Redis 6.2 or later")
	}
	major, _ := strconv.Atoi(m[2])
	minor, _ := strconv.Atoi(m[3])
	if major < oldestMajor || (major == oldestMajor && minor < oldestMinor) {
		return fmt.Errorf("redis-server in PATH is version %s: install 6.2 or later, or set REDIS_URL", m[1])
	}
	return nil
}
