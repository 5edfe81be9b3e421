package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

func (a *app) opsCommand() *cobra.Command {
	var f journal.Filter
	var state string
	cmd := &cobra.Command{
		Use:     "ops",
		Short:   "List operations, newest first",
		Example: "  enqueue ops --campaign street-signs --state rejected",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && !slices.Contains(stateNames(), state) {
				return usage("%q is no state: there are %s", state, strings.Join(stateNames(), ", "))
			}
			f.State = planner.State(state)
			return a.with(cmd.Context(), need{}, func(s *session) error {
				ops, err := s.Operations(cmd.Context(), f)
				if err != nil {
					return err
				}
				return a.operations(ops, "no operations", ops)
			})
		},
	}
	cmd.Flags().StringVar(&f.Campaign, "campaign", "", "of this campaign alone")
	cmd.Flags().StringVar(&state, "state", "", "in this state alone: "+strings.Join(stateNames(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("campaign", a.completeCampaign)
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(stateNames(), cobra.ShellCompDirectiveNoFileComp))
	return a.allFlag(cmd)
}
