// Command runner runs campaigns: the daemon, a demonstration that needs nothing
// installed, and the simulated marketplace alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the image holds no time zones of its own

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// version is set when a release is built.
var version = "dev"

// The exit codes.
const (
	exitDone  = 0
	exitFault = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := rootCommand(stdout, stderr)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, "runner: "+output.Clean(err.Error()))
	var usage *usageError
	var setting *settings.Error
	if errors.As(err, &usage) || errors.As(err, &setting) {
		return exitUsage
	}
	return exitFault
}

// usageError is a command line that cannot be right.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() + "; see runner --help" }

func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	serve := serveCommand(stderr)
	root := &cobra.Command{
		Use:           "runner",
		Short:         "Run campaigns on HireTalents: within their budgets, and never twice",
		Long:          "Without a command it serves, as `runner serve` does.",
		Version:       version,
		Args:          noArgs,
		RunE:          serve.RunE,
		SilenceUsage:  true,
		SilenceErrors: true,
		Example:       "  runner demo          see the whole main job, with nothing installed\n  runner serve         the daemon",
	}
	root.Flags().AddFlagSet(serve.Flags())
	root.AddCommand(serve, demoCommand(stdout, stderr), sandboxCommand(stdout, stderr), healthcheckCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return &usageError{err}
	}
	return nil
}
