package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// addressFile is where a runner tells others the address of its Redis.
const addressFile = "redis.addr"

// dialTimeout bounds the look whether an address is alive. It is on this
// machine, so an answer takes far less.
const dialTimeout = 2 * time.Second

// ErrNotRunning says that no runner with an embedded Redis uses the directory.
var ErrNotRunning = errors.New("no runner is running here: start `runner serve` or set REDIS_URL")

// Find returns the address of the embedded Redis of the runner that uses the
// data directory dir. It is ErrNotRunning when there is none, or only the
// address that a killed one left behind.
func Find(dir string) (string, error) {
	addr, err := readAddress(filepath.Join(dir, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("data directory %q: %w", dir, ErrNotRunning)
	}
	if errors.Is(err, os.ErrPermission) {
		return "", fmt.Errorf("the runner in %q belongs to another user: run this as that user or set REDIS_URL: %w",
			dir, err)
	}
	if err != nil {
		return "", err
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(context.Background(), network(addr), endpoint(addr))
	if errors.Is(err, os.ErrPermission) {
		return "", fmt.Errorf("the runner in %q belongs to another user: run this as that user or set REDIS_URL: %w",
			dir, err)
	}
	if err != nil {
		return "", fmt.Errorf("data directory %q: %w (the last one ended without a farewell)", dir, ErrNotRunning)
	}
	return addr.String(), conn.Close()
}

// readAddress reads and checks an address file.
func readAddress(path string) (*url.URL, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimSpace(string(b)))
	if err != nil || endpoint(u) == "" {
		return nil, fmt.Errorf("%q holds no address: remove it and start the runner again", path)
	}
	return u, nil
}

// writeAddress replaces the address file in one step, so that a reader sees
// the old address or the new one.
func writeAddress(path, addr string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), addressFile+".*")
	if err != nil {
		return fmt.Errorf("address file: %w", err)
	}
	_, err = tmp.WriteString(addr + "\n")
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("address file %q: %w", path, err), os.Remove(tmp.Name()))
	}
	return nil
}

// network and endpoint are what net.Dial takes for an embedded address.
func network(u *url.URL) string {
	if u.Scheme == "unix" {
		return "unix"
	}
	return "tcp"
}

func endpoint(u *url.URL) string {
	if u.Scheme == "unix" {
		return u.Path
	}
	return u.Host
}
