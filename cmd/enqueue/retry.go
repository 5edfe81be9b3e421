package main

import (
	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

func (a *app) retryCommand() *cobra.Command {
	var wait bool
	return waitFlag(&cobra.Command{
		Use:   "retry OP",
		Short: "Try an operation again that was rejected, skipped, canceled or parked",
		Long: "Puts an operation back in line that was rejected, skipped or canceled, or parked before it was sent.\n" +
			"One that was sent and is in doubt takes `enqueue resolve`.",
		Example:           "  enqueue retry street-signs/create/Izmir/20261201T090000Z",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeOp(planner.Rejected, planner.Skipped, planner.Parked, planner.Canceled),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), need{}, func(s *session) error {
				done, err := s.Retry(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.follow(cmd.Context(), s, done, wait)
			})
		},
	}, &wait)
}
