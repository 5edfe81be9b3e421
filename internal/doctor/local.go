package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// Settings looks at what is set; loading is the error that reading it brought.
func Settings(s *settings.Settings, loading error) []Finding {
	var found []Finding
	for _, err := range split(loading) {
		found = append(found, wrong("settings", "", "%v", err))
	}
	if err := s.RequireAPIKey(); err != nil && loading == nil {
		found = append(found, wrong("api key", "", "%v", err))
	} else if loading == nil {
		found = append(found, ok("api key", "it is set"))
	}
	if err := s.CheckListen(); err != nil {
		found = append(found, wrong("console", "", "%v", err))
	} else {
		found = append(found, ok("console", "it listens on %s", s.Listen))
	}
	if s.LocalAPI() {
		return append(found, ok("money", "the marketplace is on this machine: no real money is at stake"))
	}
	return append(found, ok("money", "%s moves real money", s.APIURL))
}

// split takes a joined error apart.
func split(err error) []error {
	var many interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &many):
		return many.Unwrap()
	}
	return []error{err}
}

// leastSpace is what a disk should have left, in bytes.
const leastSpace = 100 << 20

// Folder looks whether a folder can be written to, or made, and has room.
func Folder(subject, dir string) Finding {
	at := dir
	for {
		info, err := os.Stat(at)
		if err == nil {
			if !info.IsDir() {
				return wrong(subject, "name another folder with RUNNER_DATA_DIR", "%s is no folder", at)
			}
			break
		}
		parent := filepath.Dir(at)
		if !errors.Is(err, fs.ErrNotExist) || parent == at {
			return wrong(subject, "name another folder with RUNNER_DATA_DIR", "it cannot be looked at: %v", err)
		}
		at = parent
	}
	f, err := os.CreateTemp(at, ".doctor-")
	if err != nil {
		return wrong(subject, "let this user write there, or name another folder with RUNNER_DATA_DIR", "nothing can be written: %v", err)
	}
	err = errors.Join(f.Sync(), f.Close(), os.Remove(f.Name()))
	if err != nil {
		return wrong(subject, "", "it cannot be flushed to the disk: %v", err)
	}
	if free, known := freeSpace(at); known && free < leastSpace {
		return warning(subject, "make room: nothing is sent that cannot be logged", "%s has %s left", dir, bytes(free))
	}
	return ok(subject, "%s can be written to", dir)
}
