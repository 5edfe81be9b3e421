package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// healthcheckCommand asks the runner on this machine whether it lives. The image
// holds no other program that could.
func healthcheckCommand() *cobra.Command {
	var s settings.Settings
	cmd := &cobra.Command{
		Use:     "healthcheck",
		Short:   "Ask the runner on this machine whether it lives",
		Args:    noArgs,
		Example: "  runner healthcheck --listen 127.0.0.1:8080",
	}
	s.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.Load(cmd.Flags(), os.Getenv); err != nil {
			return &usageError{err}
		}
		return askHealth(cmd.Context(), s.Listen)
	}
	return cmd
}

func askHealth(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	client := http.Client{Timeout: 5 * time.Second}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no runner answers: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the runner answers %s", resp.Status)
	}
	return nil
}
