package simtest

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// disk is a machine's folder of send logs. It outlives the processes.
type disk struct {
	w     *world
	files map[string]*file
	locks map[string]*process
}

// file is what was written, and how much of it is safe from a power cut.
type file struct {
	data   []byte
	synced int
}

func newDisk(w *world) *disk {
	return &disk{w: w, files: map[string]*file{}, locks: map[string]*process{}}
}

// died lets go of what a process held. A power cut takes what was not synced,
// or only the end of it.
func (d *disk) died(p *process, power bool) {
	maps.DeleteFunc(d.locks, func(_ string, holder *process) bool { return holder == p })
	if !power {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[name]
		f.data = f.data[:f.synced+d.w.tail.rng.IntN(len(f.data)-f.synced+1)]
	}
}

// fails draws an accident of the disk.
func (d *disk) fails(what string) bool {
	if d.w.tail == nil || d.w.calm || d.w.smooth || !d.w.tail.chance(4) {
		return false
	}
	d.w.tally.hit("disk", what)
	d.w.note("  the disk fails: %s", what)
	return true
}

var errDisk = errors.New("input/output error")

// folder is a disk as one process has it; nil is a person who reads.
type folder struct {
	*disk
	p *process
}

var _ sendlog.Disk = folder{}

// dead refuses what a process that was killed would still do.
func (f folder) dead() error {
	if f.p != nil && f.p.dead {
		return errKilled
	}
	return nil
}

func (f folder) Append(name string) (sendlog.File, error) {
	if err := f.dead(); err != nil {
		return nil, err
	}
	held, found := f.files[name]
	if !found {
		return nil, fs.ErrNotExist
	}
	return &handle{f, held}, nil
}

func (f folder) Create(name string) (sendlog.File, error) {
	if err := f.dead(); err != nil {
		return nil, err
	}
	f.files[name] = &file{}
	return &handle{f, f.files[name]}, nil
}

func (f folder) Read(name string) ([]byte, error) {
	held, found := f.files[name]
	if !found {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(held.data), f.dead()
}

func (f folder) Rename(from, to string) error {
	if err := f.dead(); err != nil {
		return err
	}
	if f.fails("rename") {
		return errDisk
	}
	f.files[to] = f.files[from]
	delete(f.files, from)
	return nil
}

func (f folder) Names() ([]string, error) { return slices.Sorted(maps.Keys(f.files)), f.dead() }

func (f folder) Lock(name string) (func(), bool, error) {
	if err := f.dead(); err != nil {
		return nil, false, err
	}
	if f.locks[name] != nil {
		return nil, false, nil
	}
	f.locks[name] = f.p
	return func() {
		if f.locks[name] == f.p {
			delete(f.locks, name)
		}
	}, true, nil
}

// handle is an open file.
type handle struct {
	folder
	to *file
}

// Write writes a part where the disk is full.
func (h *handle) Write(b []byte) (int, error) {
	if err := h.dead(); err != nil {
		return 0, err
	}
	n, err := len(b), error(nil)
	if h.fails("write") {
		n, err = h.w.tail.rng.IntN(len(b)+1), errDisk
	}
	h.to.data = append(h.to.data, b[:n]...)
	return n, err
}

func (h *handle) Sync() error {
	if err := h.dead(); err != nil {
		return err
	}
	if h.fails("fsync") {
		return errDisk
	}
	h.to.synced = len(h.to.data)
	return nil
}

func (h *handle) Close() error { return h.dead() }
