package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/runner"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

func serveCommand(stderr io.Writer) *cobra.Command {
	var s settings.Settings
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "The daemon: scheduler, workers, console; any number may share one Redis",
		Args:    noArgs,
		Example: "  HIRETALENTS_API_KEY_FILE=key.txt runner serve",
	}
	s.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.Load(cmd.Flags(), os.Getenv); err != nil {
			return &usageError{err}
		}
		if err := s.RequireAPIKey(); err != nil {
			return err
		}
		if err := s.CheckListen(); err != nil {
			return err
		}
		return serve(cmd.Context(), &s, stderr)
	}
	return cmd
}

// serve runs until the context ends, which drains, or until something that it
// cannot do without has ended.
func serve(ctx context.Context, s *settings.Settings, stderr io.Writer) error {
	log := s.Logger(stderr, output.IsTerminal(stderr))
	embedded.LogClient(log, time.Now)
	r, err := runner.Start(ctx, runner.Config{Settings: s, Log: log, Version: version})
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		log.Info("stopping: nothing new is begun, requests on their way are settled")
		err = r.Close()
		log.Info("stopped")
		return err
	case err := <-r.Failed():
		if cerr := r.Close(); cerr != nil {
			log.Warn("the runner did not stop cleanly", "err", cerr)
		}
		return err
	}
}
