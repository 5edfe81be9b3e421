package sendlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

var epoch = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// disk is a real folder whose writes and fsyncs fail on demand.
type disk struct {
	sendlog.OS
	mu          sync.Mutex
	write, sync error
	syncs       int
}

func (d *disk) fail(write, sync error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.write, d.sync = write, sync
}

func (d *disk) Append(name string) (sendlog.File, error) { return d.wrap(d.OS.Append(name)) }
func (d *disk) Create(name string) (sendlog.File, error) { return d.wrap(d.OS.Create(name)) }
func (d *disk) wrap(f sendlog.File, err error) (sendlog.File, error) {
	return &file{f, d}, err
}

type file struct {
	sendlog.File
	d *disk
}

func (f *file) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.write != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // a full disk takes a part
		return n, f.d.write
	}
	return f.File.Write(p)
}

func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.d.syncs++
	if f.d.sync != nil {
		return f.d.sync
	}
	return f.File.Sync()
}

func open(t *testing.T, d sendlog.Disk, limit int64) *sendlog.Log {
	t.Helper()
	l, err := sendlog.OpenLog(sendlog.LogConfig{
		Disk: d, Journal: "j", Holder: "h", Now: func() time.Time { return epoch }, Limit: limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func send(n int64) sendlog.Send {
	return sendlog.Send{
		Seq: n, At: epoch, Attempt: 1, Nonce: fmt.Sprint("n", n), Class: "pay", Amount: 5,
		Op: planner.Operation{ID: fmt.Sprint("c/create/", n), Kind: planner.Create},
	}
}

func read(t *testing.T, d sendlog.Disk) sendlog.Contents {
	t.Helper()
	logs, err := sendlog.ReadAll(d)
	if err != nil || len(logs) != 1 {
		t.Fatalf("%d logs, want one: %v", len(logs), err)
	}
	return logs[0]
}

func record(t *testing.T, l *sendlog.Log, n int64) {
	t.Helper()
	if err := l.Record(context.Background(), send(n)); err != nil {
		t.Fatal(err)
	}
}

func TestNothingPassesAfterAFailureUntilTheLogIsOpenedAgain(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	for name, fails := range map[string][2]error{"a write": {full, nil}, "an fsync": {nil, full}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &disk{OS: sendlog.OS(t.TempDir())}
			l := open(t, d, 0)
			record(t, l, 1)
			d.fail(fails[0], fails[1])
			for range 2 {
				if err := l.Record(t.Context(), send(2)); !errors.Is(err, full) {
					t.Errorf("record: %v, want %v", err, full)
				}
			}
			if err := l.Reopen(); err == nil {
				t.Error("it was opened again on a disk that fails")
			}
			d.fail(nil, nil)
			if err := l.Record(t.Context(), send(3)); err == nil {
				t.Error("a log that failed took a line before it was opened again")
			}
			if err := l.Reopen(); err != nil {
				t.Fatal(err)
			}
			record(t, l, 4)
			if c := read(t, d); c.High != 4 || c.Sends[0].Seq != 1 {
				t.Errorf("it holds %+v, want 1 and 4", c.Sends)
			}
		})
	}
}

func TestCallersAtTheSameTimeShareAnFsync(t *testing.T) {
	t.Parallel()
	d := &disk{OS: sendlog.OS(t.TempDir())}
	l := open(t, d, 0)
	d.mu.Lock() // the first is held in its write until all have come
	before := d.syncs
	var wg sync.WaitGroup
	for n := range int64(100) {
		wg.Go(func() { record(t, l, n+1) })
	}
	d.mu.Unlock()
	wg.Wait()
	if c := read(t, d); len(c.Sends) != 100 || c.High != 100 {
		t.Errorf("%d sends up to %d, want 100", len(c.Sends), c.High)
	}
	if l.High() != 100 || d.syncs-before > 100 {
		t.Errorf("high is %d after %d fsyncs", l.High(), d.syncs-before)
	}
}

func TestReadingWhatACrashLeft(t *testing.T) {
	t.Parallel()
	d := &disk{OS: sendlog.OS(t.TempDir())}
	l := open(t, d, 0)
	record(t, l, 1)
	record(t, l, 2)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := d.Read("h.log")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for cut := range len(lines[2]) { // every torn tail of the last line
		c, err := sendlog.Parse("h.log", []byte(lines[0]+lines[1]+lines[2][:cut]))
		if err != nil || len(c.Sends) != 1 {
			t.Fatalf("cut at %d: %d sends, %v", cut, len(c.Sends), err)
		}
	}
	bad := lines[0] + strings.Replace(lines[1], `"seq":1`, `"seq":7`, 1) + lines[2]
	if _, err := sendlog.Parse("h.log", []byte(bad)); err == nil || !strings.Contains(err.Error(), "h.log, line 2") {
		t.Errorf("a bad line before whole ones: %v", err)
	}
	torn := lines[0] + lines[1] + lines[2][:20] + "\x00\x00\n\x00"
	if err := os.WriteFile(filepath.Join(string(d.OS), "h.log"), []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	record(t, open(t, d, 0), 3)
	if c := read(t, d); len(c.Sends) != 2 || c.High != 3 {
		t.Errorf("carried on after a torn tail, it holds %+v", c.Sends)
	}
}

func TestALogDropsItsOldestSettledLines(t *testing.T) {
	t.Parallel()
	d := &disk{OS: sendlog.OS(t.TempDir())}
	l := open(t, d, 40_000)
	var wg sync.WaitGroup
	for n := range int64(400) {
		wg.Go(func() {
			record(t, l, n+1)
			if n+1 != 7 {
				l.Outcome(sendlog.Outcome{Nonce: fmt.Sprint("n", n+1), At: epoch, To: planner.Applied})
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := read(t, d)
	left := 0
	for _, s := range c.Sends {
		if c.Open(s) {
			left++
			if s.Seq != 7 {
				t.Errorf("send %d lost its outcome", s.Seq)
			}
		}
	}
	if left != 1 || c.High != 400 || c.Dropped == 0 || len(c.Sends) > 300 {
		t.Errorf("%d open, high %d, dropped %d, %d sends", left, c.High, c.Dropped, len(c.Sends))
	}
}

func TestALogHasOneWriter(t *testing.T) {
	t.Parallel()
	d := sendlog.OS(t.TempDir())
	first := open(t, d, 0)
	second, err := sendlog.OpenLog(sendlog.LogConfig{Disk: d, Journal: "j", Holder: "other", Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.Holder() != "h" || second.Holder() != "other" {
		t.Errorf("holders %s and %s", first.Holder(), second.Holder())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if third := open(t, d, 0); third.Holder() != "h" {
		t.Errorf("the log of a dead process is not carried on: %s", third.Holder())
	}
}
