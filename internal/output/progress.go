package output

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// lineEvery is how often a count that moves gets a line where there are no
// bars.
const lineEvery = 3 * time.Second

// Progress shows counts that move: as bars on a terminal, as plain lines
// elsewhere. Its methods may be called from several goroutines.
type Progress struct {
	w    io.Writer
	now  func() time.Time
	bars *mpb.Progress // nil where there are lines

	mu     sync.Mutex
	names  []string // in order of their first call
	counts map[string]*count
	closed bool
}

// count is what is known of one name.
type count struct {
	done, total int
	note        string
	bar         *mpb.Bar
	// shown is note, cleaned. The bar reads it while Set may wait for the bar,
	// so that it must not need mu.
	shown   atomic.Pointer[string]
	printed time.Time
	stale   bool // the last line does not tell the latest
}

// NewProgress shows progress on w; tty says that it is a terminal. now times
// the lines.
func NewProgress(w io.Writer, tty bool, now func() time.Time) *Progress {
	p := &Progress{w: w, now: now, counts: map[string]*count{}}
	if tty {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	}
	return p
}

// Set tells that done of total are done under name, with a note such as a cost.
// The total may change.
func (p *Progress) Set(name string, done, total int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	c := p.counts[name]
	if c == nil {
		c = &count{}
		p.counts[name] = c
		p.names = append(p.names, name)
		if p.bars != nil {
			c.bar = p.addBar(name, c)
		}
	} else if c.done == done && c.total == total && c.note == note {
		return
	}
	c.done, c.total, c.note, c.stale = done, total, note, true
	shown := Clean(note)
	c.shown.Store(&shown)
	if c.bar != nil {
		c.bar.SetTotal(int64(total), false)
		c.bar.SetCurrent(int64(done))
		return
	}
	if done == total || p.now().Sub(c.printed) >= lineEvery {
		p.line(name, c)
	}
}

// addBar adds a bar that does not end by itself, since totals may grow.
func (p *Progress) addBar(name string, c *count) *mpb.Bar {
	note := func(decor.Statistics) string {
		if shown := c.shown.Load(); shown != nil && *shown != "" {
			return " " + *shown
		}
		return ""
	}
	return p.bars.AddBar(0,
		mpb.BarWidth(40),
		mpb.PrependDecorators(decor.Name(Clean(name), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(
			decor.CountersNoUnit("%d/%d", decor.WCSyncSpace),
			decor.AverageSpeed(0, "%.1f/s", decor.WCSyncSpace),
			decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), "done"),
			decor.Any(note),
		),
	)
}

// line prints one count. The caller holds mu.
func (p *Progress) line(name string, c *count) {
	text := fmt.Sprintf("%s: %d of %d", Clean(name), c.done, c.total)
	if c.note != "" {
		text += ", " + Clean(c.note)
	}
	_, _ = fmt.Fprintln(p.w, text)
	c.printed, c.stale = p.now(), false
}

// Write puts whole lines above the bars, such as those of a log.
func (p *Progress) Write(b []byte) (int, error) {
	if p.bars != nil {
		if n, err := p.bars.Write(b); err == nil {
			return n, nil
		}
		// The bars are gone.
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w.Write(b)
}

// Close shows the last counts and gives the terminal back. Later calls of Set
// do nothing.
func (p *Progress) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	for _, name := range p.names {
		switch c := p.counts[name]; {
		case c.bar != nil && c.done == c.total:
			c.bar.SetTotal(int64(c.total), true)
		case c.bar != nil:
			c.bar.Abort(false)
		case c.stale:
			p.line(name, c)
		}
	}
	p.mu.Unlock()
	if p.bars != nil {
		p.bars.Wait()
	}
}
