package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"
)

// orphanWithin bounds the wait for the redis-server of a killed runner.
const orphanWithin = 10 * time.Second

// lockRedis takes the lock that goes with the files of Redis. The caller is the
// only runner of dir, so whoever holds it is the redis-server of a runner that
// was killed. It is told to end: two on one append-only file destroy it.
func lockRedis(ctx context.Context, dir string, log *slog.Logger) (*lock, error) {
	path := filepath.Join(dir, redisLock)
	l, err := lockFile(path)
	if !errors.Is(err, errLocked) {
		return l, err
	}
	log.Warn("the redis-server of a runner that was killed still runs: it is told to end", "dir", dir)
	ctx, cancel := context.WithTimeout(ctx, orphanWithin)
	defer cancel()
	endOrphan(ctx, dir)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		l, err := lockFile(path)
		if !errors.Is(err, errLocked) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the redis-server of a runner that was killed still holds data directory %q: "+
				"end it (it is the process that `fuser %s` names) and start again", dir, path)
		case <-tick.C:
		}
	}
}

// endOrphan asks the redis-server that the address file names to shut down.
// Errors do not matter: it may be ending already, and the lock tells.
func endOrphan(ctx context.Context, dir string) {
	u, err := readAddress(filepath.Join(dir, addressFile))
	if err != nil || u.Scheme != "unix" {
		return
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", u.Path)
	if err != nil {
		return
	}
	_ = conn.Close()
	client, err := Connect(u.String(), Options{Once: true, PoolSize: 1})
	if err != nil {
		return
	}
	_ = client.ShutdownNoSave(ctx).Err()
	_ = client.Close()
}
