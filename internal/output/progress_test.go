package output_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/google/go-cmp/cmp"
)

func TestProgressInAPipeIsAFewPlainLines(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var buf bytes.Buffer
	p := output.NewProgress(&buf, false, func() time.Time { return now })
	for i := range 100 {
		p.Set("signs", i, 200, fmt.Sprintf("%d.5 USD", i))
		now = now.Add(100 * time.Millisecond)
	}
	p.Set("other", 1, 1, "")
	p.Set("other", 1, 1, "")
	if _, err := io.WriteString(p, "a log line\n"); err != nil {
		t.Fatal(err)
	}
	p.Set("signs", 120, 250, "x\x1b[2J")
	p.Close()
	p.Set("signs", 250, 250, "")
	p.Close()
	want := `signs: 0 of 200, 0.5 USD
signs: 30 of 200, 30.5 USD
signs: 60 of 200, 60.5 USD
signs: 90 of 200, 90.5 USD
other: 1 of 1
a log line
signs: 120 of 250, x\u001b[2J
`
	if diff := cmp.Diff(want, buf.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestProgressOnATerminalIsBars(t *testing.T) {
	t.Parallel()
	var buf syncBuffer
	p := output.NewProgress(&buf, true, time.Now)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 200 {
				p.Set(fmt.Sprintf("campaign-%d", w), i+1, 200+w%2, "1.25 USD")
			}
			_, _ = io.WriteString(p, "a log line\n")
		})
	}
	all.Wait()
	p.Close()
	got := buf.String()
	for _, want := range []string{"campaign-0", "campaign-3", "200/200", "200/201", "1.25 USD", "a log line\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%q", want, got)
		}
	}
	if _, err := io.WriteString(p, "after the bars\n"); err != nil || !strings.HasSuffix(buf.String(), "after the bars\n") {
		t.Errorf("a line after Close: %v", err)
	}
}

// syncBuffer is a buffer for several writers.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestOnlyAYesAgrees(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{
		"y\n": true, "YES\r\n": true, "yes": true, "n\n": false, "\n": false, "": false, "yep\n": false,
	} {
		var out bytes.Buffer
		got, err := output.Ask(t.Context(), strings.NewReader(answer), &out, "Spend 4.875 USD?")
		if err != nil || got != want || out.String() != "Spend 4.875 USD? [y/N] " {
			t.Errorf("%q: %v, %v after %q", answer, got, err, out.String())
		}
	}
}

func TestQuestionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	in, hold := io.Pipe()
	defer func() { _ = hold.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if yes, err := output.Ask(ctx, in, io.Discard, "?"); yes || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v; want context.Canceled", yes, err)
	}
}

func TestNobodyIsAskedInAPipe(t *testing.T) {
	t.Parallel()
	yes, err := output.Confirm(t.Context(), strings.NewReader("y\n"), io.Discard, "?")
	if yes || !errors.Is(err, output.ErrNoTerminal) {
		t.Errorf("%v, %v; want ErrNoTerminal", yes, err)
	}
}
