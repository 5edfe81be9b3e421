package main

import (
	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// completeCampaign offers the names of registered campaigns to a shell. What
// goes wrong offers nothing.
func (a *app) completeCampaign(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || a.begin(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	_ = a.with(cmd.Context(), need{}, func(s *session) (err error) {
		names, err = s.Journal.CampaignNames(cmd.Context())
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeOp offers the ids of operations in a state that a person may act on.
func (a *app) completeOp(states ...planner.State) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 || a.begin(cmd) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		const most = 100
		var ids []string
		_ = a.with(cmd.Context(), need{}, func(s *session) error {
			for _, state := range states {
				ops, err := s.Operations(cmd.Context(), journal.Filter{State: state, Most: most})
				if err != nil {
					return err
				}
				for _, op := range ops {
					ids = append(ids, op.ID)
				}
			}
			return nil
		})
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

func stateNames() []string {
	var names []string
	for _, s := range planner.States() {
		names = append(names, string(s))
	}
	return names
}
