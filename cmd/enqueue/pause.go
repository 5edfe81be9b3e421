package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) pauseCommand() *cobra.Command {
	var reason string
	var keep, wait bool
	cmd := &cobra.Command{
		Use:   "pause CAMPAIGN",
		Short: "Stop planning, enqueueing and executing a campaign, and pause its jobs",
		Long: "Stops planning, enqueueing and executing a campaign, and pauses its jobs: the marketplace refunds\n" +
			"their open seats. --keep-jobs leaves the jobs online.",
		Example:           `  enqueue pause street-signs --reason "the photos are wrong"`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), need{}, func(s *session) error {
				done, err := s.Pause(cmd.Context(), args[0], reason, keep)
				if err != nil {
					return err
				}
				return a.steered(cmd.Context(), s, done, wait)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever looks at it later")
	cmd.Flags().BoolVar(&keep, "keep-jobs", false, "leave the campaign's jobs online")
	return waitFlag(cmd, &wait)
}

// steered tells what a pause, a stop or a resume did.
func (a *app) steered(ctx context.Context, s *session, done *operator.Steered, wait bool) error {
	rows := output.Rows{Columns: []string{"campaigns", "pausing", "released", "opened", "offline"}}
	rows.Cells = [][]string{{
		fmt.Sprint(len(done.Campaigns)), fmt.Sprint(done.Pausing), fmt.Sprint(done.Released),
		strings.Join(done.Opened, ", "), fmt.Sprint(done.Offline),
	}}
	if err := a.print(rows, done); err != nil || !wait {
		return err
	}
	p, err := a.wait(ctx, s, done.Work)
	if err != nil {
		return err
	}
	return wanting(p)
}
