package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) recoverCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use:   "recover FILE…",
		Short: "Rebuild lost state from the markers in the marketplace's own jobs",
		Long: "Reads every job of the account and books those whose marker a campaign of the files explains. The\n" +
			"campaigns of those jobs are registered. Nothing is created and nothing is bought; where an item has\n" +
			"no job, a person decides with `enqueue retry`. Give all spec files at once.",
		Example: "  enqueue recover campaigns.yaml other.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.load(args)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), need{key: true}, func(s *session) error {
				found, err := s.Recover(cmd.Context(), files)
				if err != nil {
					return err
				}
				if found == nil {
					found = []operator.Recovery{}
				}
				if err := a.print(recoveryRows(found), found); err != nil {
					return err
				}
				return unexplained(found)
			})
		},
	})
}

func unexplained(found []operator.Recovery) error {
	n := 0
	for _, r := range found {
		if r.Outcome != "recovered" && r.Outcome != "known" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &coded{exitWanting, fmt.Errorf("%d jobs are duplicates, or carry a marker that no campaign of these files explains", n)}
}

func recoveryRows(found []operator.Recovery) output.Rows {
	rows := output.Rows{Columns: []string{"job_id", "outcome", "campaign", "action", "item", "slot", "cost", "title"}, Empty: "no job carries a marker"}
	for _, r := range found {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(r.JobID), r.Outcome, r.Campaign, r.Action, r.Item, clock(r.Slot), r.Cost, r.Title,
		})
	}
	return rows
}
