package sendlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is where a data directory keeps its send logs.
func Folder(dataDir string) string { return filepath.Join(dataDir, "sends") }

// File is a file that is written at its end.
type File interface {
	io.Writer
	// Sync returns once what was written will survive a power cut.
	Sync() error
	Close() error
}

// Disk is the folder of the logs. OS is the real one.
type Disk interface {
	// Append opens a file for writing at its end.
	Append(name string) (File, error)
	// Create makes an empty file, in the place of another of its name.
	Create(name string) (File, error)
	// Read reads a file, or returns fs.ErrNotExist.
	Read(name string) ([]byte, error)
	// Rename puts a file in the place of another, so that a power cut leaves
	// the one or the other.
	Rename(from, to string) error
	// Names lists the files.
	Names() ([]string, error)
	// Lock makes this process the only holder of a name until it ends or calls
	// release. It returns false where another one is.
	Lock(name string) (release func(), held bool, err error)
}

// OS is a folder of the file system, made where it is missing, for its owner
// alone.
type OS string

func (d OS) path(name string) string { return filepath.Join(string(d), name) }

func (d OS) open(name string, flags int) (*os.File, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(d.path(name), flags, 0o600)
}

// Append opens a file for writing at its end.
func (d OS) Append(name string) (File, error) { return d.open(name, os.O_WRONLY|os.O_APPEND) }

// Create makes an empty file.
func (d OS) Create(name string) (File, error) {
	return d.open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND)
}

// Read reads a file.
func (d OS) Read(name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

// Rename puts a file in the place of another and writes the folder to the disk.
func (d OS) Rename(from, to string) error {
	if err := os.Rename(d.path(from), d.path(to)); err != nil {
		return err
	}
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Names lists the files. A folder that is missing has none.
func (d OS) Names() ([]string, error) {
	list, err := os.ReadDir(string(d))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return names, nil
}

// Lock takes an flock(2) on a file, which the kernel lets go of when the process
// ends, however it ends. The file stays.
func (d OS) Lock(name string) (func(), bool, error) {
	f, err := d.open(name, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, false, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return func() { _ = f.Close() }, true, nil
	}
	cerr := f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, errors.Join(fmt.Errorf("lock %s: %w", name, err), cerr)
}

// newSuffix is that of a file which is to take the place of another.
const newSuffix = ".new"

// writeNew writes the file that is to take the place of another.
func writeNew(d Disk, name string, data []byte) error {
	f, err := d.Create(name + newSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// writeWhole puts a file in the place of another, all of it or nothing.
func writeWhole(d Disk, name string, data []byte) error {
	if err := writeNew(d, name, data); err != nil {
		return err
	}
	return d.Rename(name+newSuffix, name)
}
