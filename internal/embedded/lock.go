package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Names of the two lock files in the data directory.
const (
	runnerLock = "runner.lock"
	redisLock  = "redis.lock"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked by another process")

// lock is an flock(2) on a file. The kernel lets go of it when the last process
// that holds the open file ends, however it ends.
type lock struct{ file *os.File }

// lockFile takes the lock at once or fails with errLocked.
func lockFile(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock file: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return &lock{f}, nil
	}
	closeErr := f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, errors.Join(fmt.Errorf("lock file %q: %w", path, err), closeErr)
}

// release lets go of the lock, unless a child process still holds it. The file
// stays: removing it would let two processes hold locks on two files of a name.
func (l *lock) release() { _ = l.file.Close() }

// lockRunner makes this process the only runner of dir.
func lockRunner(dir string) (*lock, error) {
	l, err := lockFile(filepath.Join(dir, runnerLock))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("data directory %q is held by another runner: stop it, choose another with "+
			"RUNNER_DATA_DIR or --data-dir, or let both share one Redis through REDIS_URL", dir)
	}
	return l, err
}
