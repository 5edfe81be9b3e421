package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	socketFile = "redis.sock"
	// tempPrefix begins the names of our own folders for sockets.
	tempPrefix = "campaign-runner-"
	// maxSocketPath is below what any system takes: 104 bytes on macOS and
	// 108 on Linux, each with the closing zero.
	maxSocketPath = 100
)

// socket is where the redis-server listens.
type socket struct {
	path string
	// temp is the folder that was made for it alone, "" for none.
	temp string
}

// makeSocket chooses a path that is free and short enough. The caller holds
// the locks, so whatever socket is left here belongs to nobody.
func makeSocket(dir, home string) (socket, error) {
	removeLeftSocket(dir)
	s := socket{path: filepath.Join(home, socketFile)}
	if len(s.path) > maxSocketPath {
		temp, err := os.MkdirTemp("", tempPrefix)
		if err != nil {
			return socket{}, fmt.Errorf("folder for the redis socket: %w", err)
		}
		s = socket{path: filepath.Join(temp, socketFile), temp: temp}
	}
	if len(s.path) > maxSocketPath {
		s.remove()
		return socket{}, fmt.Errorf("socket path %q has more than %d bytes: set a shorter TMPDIR or RUNNER_DATA_DIR",
			s.path, maxSocketPath)
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return socket{}, fmt.Errorf("old redis socket: %w", err)
	}
	return s, nil
}

// remove takes the socket and its folder away. The redis-server has often done
// the first itself.
func (s socket) remove() {
	_ = os.Remove(s.path)
	if s.temp != "" {
		_ = os.Remove(s.temp)
	}
}

// removeLeftSocket removes the folder of a killed runner's socket, which its
// address file still names.
func removeLeftSocket(dir string) {
	u, err := readAddress(filepath.Join(dir, addressFile))
	if err != nil || u.Scheme != "unix" || filepath.Base(u.Path) != socketFile {
		return
	}
	temp := filepath.Dir(u.Path)
	if strings.HasPrefix(filepath.Base(temp), tempPrefix) {
		socket{path: u.Path, temp: temp}.remove()
	}
}
