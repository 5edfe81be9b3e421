package sendlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// suffix is that of the logs' names.
const suffix = ".log"

// defaultLimit is the size at which a log drops its oldest settled lines.
const defaultLimit = 32 << 20

// openFor is how long a send without an outcome is kept beyond the limit: by
// then a person has long been asked about it.
const openFor = 30 * 24 * time.Hour

// errClosed is returned for what comes after Close.
var errClosed = errors.New("send log: closed")

// Log is the send log of one process: it appends, and no other process does. It
// is safe for concurrent use.
type Log struct {
	disk  Disk
	name  string
	limit int64
	now   func() time.Time
	spawn func(write func())

	mu     sync.Mutex
	head   Head
	high   int64
	batch  *batch
	flying bool
	err    error

	// io is held by whoever touches the file.
	io      sync.Mutex
	file    File
	size    int64
	trim    int64
	release func()
}

// batch is what is written with one write and, where sends are in it, one fsync.
type batch struct {
	buf  []byte
	sync bool
	high int64
	done chan struct{}
	err  error
}

// LogConfig is what a log is opened with.
type LogConfig struct {
	Disk Disk
	// Journal is the journal's id. Holder names a new log; one that a dead
	// process of this journal left is carried on under its own name.
	Journal, Holder string
	Now             func() time.Time
	// Limit is the size in bytes at which the oldest settled lines are dropped,
	// half of it at a time. Default 32 MiB.
	Limit int64
	// Spawn runs what writes the log, beside its callers or at once. Default: a
	// goroutine.
	Spawn func(write func())
}

// OpenLog carries the log of a dead process on, or makes a new one.
func OpenLog(cfg LogConfig) (*Log, error) {
	logs, err := ReadAll(cfg.Disk)
	if err != nil {
		return nil, err
	}
	l := &Log{disk: cfg.Disk, limit: cfg.Limit, now: cfg.Now, spawn: cfg.Spawn}
	if l.limit <= 0 {
		l.limit = defaultLimit
	}
	if l.spawn == nil {
		l.spawn = func(write func()) { go write() }
	}
	for _, c := range logs {
		if c.Journal != cfg.Journal {
			continue
		}
		release, held, err := cfg.Disk.Lock(c.Name + ".lock")
		if err != nil {
			return nil, fmt.Errorf("send log: %w", err)
		}
		if held {
			l.name, l.release = c.Name, release
			break
		}
	}
	if l.name == "" {
		if err := l.create(cfg); err != nil {
			return nil, err
		}
	}
	if err := l.Reopen(); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

func (l *Log) create(cfg LogConfig) error {
	l.name = cfg.Holder + suffix
	release, held, err := cfg.Disk.Lock(l.name + ".lock")
	if err == nil && !held {
		err = errors.New("another process holds it")
	}
	if err != nil {
		return fmt.Errorf("send log %s: %w", l.name, err)
	}
	l.release = release
	first, err := encode(nil, entry{Head: &Head{Version: 1, Journal: cfg.Journal, Holder: cfg.Holder}})
	if err == nil {
		err = writeWhole(cfg.Disk, l.name, first)
	}
	if err != nil {
		release()
		return fmt.Errorf("send log %s: %w", l.name, err)
	}
	return nil
}

// Holder is the log's name in the journal.
func (l *Log) Holder() string { l.mu.Lock(); defer l.mu.Unlock(); return l.head.Holder }

// Journal is the id of the journal that the log belongs to.
func (l *Log) Journal() string { l.mu.Lock(); defer l.mu.Unlock(); return l.head.Journal }

// High is the highest number that was recorded.
func (l *Log) High() int64 { l.mu.Lock(); defer l.mu.Unlock(); return l.high }

// Err is why nothing can be recorded; nil where it can.
func (l *Log) Err() error { l.mu.Lock(); defer l.mu.Unlock(); return l.err }

// Record returns once the lines of sends are on the disk. After an error none
// of them may be made; the log stays shut until Reopen.
func (l *Log) Record(ctx context.Context, sends ...Send) error {
	var lines []byte
	var high int64
	for i := range sends {
		var err error
		if lines, err = encode(lines, entry{Send: &sends[i]}); err != nil {
			return err
		}
		high = max(high, sends[i].Seq)
	}
	b, err := l.put(lines, high, true)
	if err != nil {
		return err
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("send log: %w", ctx.Err())
	}
}

// Outcome appends what became of sends. It reaches the disk with the next send
// or by itself, soon: what is lost of it is read back.
func (l *Log) Outcome(list ...Outcome) {
	var lines []byte
	for i := range list {
		// One that cannot be written is read back, as one that is lost.
		lines, _ = encode(lines, entry{Outcome: &list[i]})
	}
	_, _ = l.put(lines, 0, false) // a log that is shut says so to the next send
}

// Flush returns once all that was appended is on the disk.
func (l *Log) Flush() error {
	b, err := l.put(nil, 0, true)
	if err != nil {
		return err
	}
	<-b.done
	return b.err
}

// put adds lines to the batch. The first one of a quiet moment writes it; those
// who come while it is written form the next.
func (l *Log) put(lines []byte, seq int64, sync bool) (*batch, error) {
	b, lead, err := l.join(lines, seq, sync)
	if lead {
		l.spawn(l.fly)
	}
	return b, err
}

// join returns the batch that lines are in, and whether nobody writes it yet.
func (l *Log) join(lines []byte, seq int64, sync bool) (*batch, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, false, l.err
	}
	if l.batch == nil {
		l.batch = &batch{done: make(chan struct{})}
	}
	b := l.batch
	b.buf = append(b.buf, lines...)
	b.high = max(b.high, seq)
	b.sync = b.sync || sync
	lead := !l.flying
	l.flying = true
	return b, lead, nil
}

func (l *Log) fly() {
	for {
		l.mu.Lock()
		b := l.batch
		l.batch = nil
		if b == nil {
			l.flying = false
			l.mu.Unlock()
			return
		}
		if b.err = l.err; b.err == nil {
			l.mu.Unlock()
			b.err = l.write(b)
			l.mu.Lock()
			if b.err != nil && l.err == nil {
				l.err = b.err
			}
			if b.err == nil {
				l.high = max(l.high, b.high)
			}
		}
		l.mu.Unlock()
		close(b.done)
	}
}

func (l *Log) write(b *batch) error {
	l.io.Lock()
	defer l.io.Unlock()
	if l.file == nil {
		return fmt.Errorf("send log %s: the file could not be opened again", l.name)
	}
	_, err := l.file.Write(b.buf)
	if err == nil && b.sync {
		err = l.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("send log %s: %w", l.name, err)
	}
	l.size += int64(len(b.buf))
	if l.size > l.trim {
		// What is too large does no harm yet. Where the failure shut the file, the
		// next send is told.
		if l.rewrite() != nil {
			l.trim = l.size + l.limit/4
		}
	}
	return nil
}

// Reopen makes a log usable again that failed. After a failed fsync nobody knows
// what the file holds, so its whole lines are copied to a new one.
func (l *Log) Reopen() error {
	l.io.Lock()
	defer l.io.Unlock()
	if err := l.rewrite(); err != nil {
		return fmt.Errorf("send log %s: %w", l.name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = nil
	return nil
}

// Turn makes a log that holds no sends one of another journal.
func (l *Log) Turn(journal string) error {
	l.io.Lock()
	defer l.io.Unlock()
	if l.High() > 0 {
		return fmt.Errorf("send log %s: it holds sends of journal %s", l.name, l.Journal())
	}
	first, err := encode(nil, entry{Head: &Head{Version: 1, Journal: journal, Holder: l.Holder()}})
	if err == nil {
		err = writeWhole(l.disk, l.name, first)
	}
	if err == nil {
		err = l.rewrite()
	}
	if err != nil {
		return fmt.Errorf("send log %s: %w", l.name, err)
	}
	return nil
}

// rewrite copies what the log keeps to a new file and carries on there.
func (l *Log) rewrite() error {
	data, err := l.disk.Read(l.name)
	if err != nil {
		return err
	}
	c, err := Parse(l.name, data)
	if err != nil {
		return err
	}
	kept, err := l.kept(&c, int64(len(data)))
	if err != nil {
		return err
	}
	if err := writeNew(l.disk, l.name, kept); err != nil {
		return err
	}
	// From here on the open file may be one that no name leads to.
	if l.file != nil {
		_ = l.file.Close() // nothing of it is needed any more
		l.file = nil
	}
	if err := l.disk.Rename(l.name+newSuffix, l.name); err != nil {
		return err
	}
	if l.file, err = l.disk.Append(l.name); err != nil {
		l.file = nil
		return err
	}
	l.size = int64(len(kept))
	l.trim = max(l.limit, l.size+l.limit/4)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head, l.high = c.Head, max(l.high, c.High)
	return nil
}

// kept is what a log holds on: all of it while it is small; else what is open,
// and of what is settled the newest.
func (l *Log) kept(c *Contents, size int64) ([]byte, error) {
	room := l.limit
	if size > l.limit {
		room = l.limit / 2
	}
	old := l.now().Add(-openFor)
	var lines [][]byte
	for _, s := range slices.Backward(c.Sends) {
		line, err := c.lines(s)
		if err != nil {
			return nil, err
		}
		room -= int64(len(line))
		if room < 0 && (!c.Open(s) || s.At.Before(old)) {
			c.Dropped = max(c.Dropped, s.Seq)
			continue
		}
		lines = append(lines, line)
	}
	for _, o := range c.Strangers {
		if line, err := encode(nil, entry{Outcome: &o}); err == nil && room > int64(len(line)) {
			room -= int64(len(line))
			lines = append(lines, line)
		}
	}
	out, err := encode(nil, entry{Head: &c.Head})
	for _, line := range slices.Backward(lines) {
		out = append(out, line...)
	}
	return out, err
}

// lines are a send and its outcome.
func (c *Contents) lines(s Send) ([]byte, error) {
	line, err := encode(nil, entry{Send: &s})
	if err != nil {
		return nil, err
	}
	if o, found := c.Outcomes[s.Nonce]; found {
		return encode(line, entry{Outcome: &o})
	}
	return line, nil
}

// Close writes what waits and lets go of the log.
func (l *Log) Close() error {
	l.mu.Lock()
	b := l.batch
	l.mu.Unlock()
	if b != nil {
		<-b.done
	}
	l.io.Lock()
	defer l.io.Unlock()
	l.mu.Lock()
	l.err = errClosed
	l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := errors.Join(l.file.Sync(), l.file.Close())
	l.file = nil
	l.release()
	return err
}

// ReadAll reads every log of a folder.
func ReadAll(d Disk) ([]Contents, error) {
	names, err := d.Names()
	if err != nil {
		return nil, fmt.Errorf("send logs: %w", err)
	}
	var logs []Contents
	for _, name := range names {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		data, err := d.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("send log %s: %w", name, err)
		}
		c, err := Parse(name, data)
		if err != nil {
			return nil, err
		}
		logs = append(logs, c)
	}
	return logs, nil
}
