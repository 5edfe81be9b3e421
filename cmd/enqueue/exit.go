package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// The exit codes.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitChanges = 3
	exitWanting = 4
)

// coded is an error with an exit code of its own; a nil err says nothing.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string {
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}

func (c *coded) Unwrap() error { return c.err }

// usage is an error of how the command was used.
func usage(format string, args ...any) error {
	return &coded{exitUsage, fmt.Errorf(format, args...)}
}

// exit tells of an error on standard error and returns the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return 0
	}
	a.tell(err)
	var c *coded
	var spec campaigns.Errors
	var between *operator.SpecError
	switch {
	case errors.As(err, &c):
		return c.code
	case !a.ran, errors.As(err, &spec), errors.As(err, &between), errors.Is(err, output.ErrNoTerminal):
		return exitUsage
	}
	return exitFailed
}

// tell writes an error. Faults of a spec stand each on its line, as editors
// read them.
func (a *app) tell(err error) {
	text := strings.TrimRight(err.Error(), "\n")
	var spec campaigns.Errors
	switch {
	case text == "":
		return
	case errors.As(err, &spec):
	case errors.Is(err, context.Canceled):
		text = "enqueue: interrupted"
	case !a.ran:
		text = fmt.Sprintf("enqueue: %s\nsee `%s --help`", strings.ReplaceAll(text, "\t", "  "), a.called)
	default:
		text = "enqueue: " + text
	}
	for line := range strings.SplitSeq(text, "\n") {
		_, _ = fmt.Fprintln(a.err, output.Clean(line))
	}
}

// say writes a remark on standard error.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintln(a.err, output.Clean(fmt.Sprintf(format, args...)))
}
