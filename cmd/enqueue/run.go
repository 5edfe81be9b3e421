package main

import "github.com/spf13/cobra"

func (a *app) runCommand() *cobra.Command {
	var wait bool
	return waitFlag(&cobra.Command{
		Use:               "run CAMPAIGN ACTION",
		Short:             "Carry out one occurrence of an action now, under the same budget and rules",
		Example:           "  enqueue run street-signs add_seats --wait",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), need{}, func(s *session) error {
				done, err := s.Run(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				return a.follow(cmd.Context(), s, done, wait)
			})
		},
	}, &wait)
}
