package main

import "github.com/spf13/cobra"

func (a *app) stopCommand() *cobra.Command {
	var all, wait bool
	var reason string
	cmd := &cobra.Command{
		Use:     "stop --all",
		Short:   "The kill switch: hold everything and pause every job",
		Long:    "Holds everything and pauses every job of every campaign. `enqueue resume --all` lifts it.",
		Example: `  enqueue stop --all --reason "prices look wrong"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !all {
				return usage("stop holds everything: say so with --all, or pause one campaign with `enqueue pause CAMPAIGN`")
			}
			return a.with(cmd.Context(), need{}, func(s *session) error {
				done, err := s.StopAll(cmd.Context(), reason)
				if err != nil {
					return err
				}
				return a.steered(cmd.Context(), s, done, wait)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every campaign")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever looks at it later")
	return waitFlag(cmd, &wait)
}
