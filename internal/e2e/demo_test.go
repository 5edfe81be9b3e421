package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demo runs the demonstration in an empty folder and returns what it printed.
// interrupt, where positive, sends Ctrl-C after so many lines.
func demo(t *testing.T, interrupt int, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dir := t.TempDir()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "runner"), append([]string{"demo"}, args...)...)
	cmd.Dir = dir
	temp := t.TempDir()
	cmd.Env = []string{"PATH=/nonexistent", "HOME=" + dir, "TMPDIR=" + temp}
	var out bytes.Buffer
	errs := &counting{lines: interrupt, reached: func() { _ = cmd.Process.Signal(syscall.SIGINT) }}
	cmd.Stdout, cmd.Stderr = &out, errs
	_ = cmd.Run() // the exit code tells
	if ctx.Err() != nil {
		t.Fatalf("the demonstration did not end:\n%s", errs.text.String())
	}
	for _, left := range []string{dir, temp} {
		if entries, err := os.ReadDir(left); err != nil || len(entries) > 0 {
			t.Errorf("left behind in %s: %v, %v", left, entries, err)
		}
	}
	return out.String(), errs.text.String(), cmd.ProcessState.ExitCode()
}

// counting keeps what is written and calls back once after some lines.
type counting struct {
	text    bytes.Buffer
	lines   int
	reached func()
}

func (c *counting) Write(b []byte) (int, error) {
	c.text.Write(b)
	if c.lines > 0 && bytes.Count(c.text.Bytes(), []byte("\n")) >= c.lines {
		c.lines = 0
		c.reached()
	}
	return len(b), nil
}

func TestDemoShowsTheMainJob(t *testing.T) {
	t.Parallel()
	began := time.Now()
	stdout, stderr, code := demo(t, 0)
	if code != 0 {
		t.Fatalf("exit %d:\n%s%s", code, stdout, stderr)
	}
	t.Logf("took %v", time.Since(began))
	for _, want := range []string{
		"jobs created", "seats added", "applications rated", "restarted", "the budget reached its threshold", "paused", "console: http://127.0.0.1:",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("nothing says %q:\n%s", want, stderr)
		}
	}
	for _, want := range []string{"street-signs", "bus-survey", "checkout-test", "interviews", "both agree to the millionth of a dollar"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
}

func TestDemoEndsCleanlyOnCtrlC(t *testing.T) {
	t.Parallel()
	for _, lines := range []int{1, 4, 25} {
		stdout, stderr, code := demo(t, lines)
		if code != 0 || strings.Contains(stderr, "panic") {
			t.Errorf("interrupted after %d lines: exit %d:\n%s%s", lines, code, stdout, stderr)
		}
	}
}

func TestDemoRefusesWrongSpecs(t *testing.T) {
	t.Parallel()
	spec := filepath.Join(t.TempDir(), "wrong.yaml")
	must(t, os.WriteFile(spec, []byte("version: 1\ncampaings: []\n"), 0o600)) //nolint:misspell // what it is about
	_, stderr, code := demo(t, 0, spec)
	if code != 2 || !strings.Contains(stderr, "wrong.yaml:2:1:") || !strings.Contains(stderr, "campaigns") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
