package main

import (
	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
)

func (a *app) resumeCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "resume CAMPAIGN | --all",
		Short: "Let a campaign go on, and open its budgets; with --all lift a stop",
		Long: "Lets a campaign go on: its schedule runs, what was held is carried out, and its budgets that reached\n" +
			"their threshold are opened. Jobs that were paused stay finished: `enqueue run` or\n" +
			"`enqueue api resume` buys seats for them. --all lifts `enqueue stop --all`.",
		Example:           "  enqueue resume street-signs",
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) || len(args) > 1 {
				return usage("give the name of one campaign, or --all")
			}
			ctx := cmd.Context()
			return a.with(ctx, need{}, func(s *session) error {
				var done *operator.Steered
				var err error
				if all {
					done, err = s.ResumeAll(ctx)
				} else {
					done, err = s.Resume(ctx, args[0])
				}
				if err != nil {
					return err
				}
				if done.Offline > 0 {
					a.say("%d jobs stay finished: an action, `enqueue run` or `enqueue api resume` buys seats for them", done.Offline)
				}
				return a.steered(ctx, s, done, false)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "lift the stop of everything")
	return cmd
}
