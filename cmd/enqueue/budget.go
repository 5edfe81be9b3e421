package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) budgetCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use:     "budget",
		Short:   "Show every budget with its components in its present window",
		Example: "  enqueue budget -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), need{}, func(s *session) error {
				budgets, err := s.Budgets(cmd.Context())
				if err != nil {
					return err
				}
				rows := budgetRows(budgets)
				rows.Empty = "no campaign has a budget"
				return a.print(rows, budgets)
			})
		},
	})
}

func budgetRows(budgets []operator.Budget) output.Rows {
	rows := output.Rows{Columns: []string{
		"scope", "source", "window", "cap", "pause_at", "committed", "reserved", "unknown", "refunded", "consumed", "headroom", "paused",
	}}
	for _, b := range budgets {
		rows.Cells = append(rows.Cells, []string{
			b.Scope, b.Source, b.Window, b.Cap.String(), dollars(b.PauseAt), b.Committed.String(), b.Reserved.String(),
			b.Unknown.String(), b.Refunded.String(), b.Consumed.String(), b.Headroom.String(), fmt.Sprint(b.Paused),
		})
	}
	return rows
}
