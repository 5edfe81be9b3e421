package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) auditCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use:   "audit",
		Short: "Compare the books with the marketplace",
		Long: "Compares the books with the marketplace: the balance, jobs with one marker, seats that differ, and\n" +
			"jobs with our marker that no campaign owns. It exits with 4 where they do not agree.",
		Example: "  enqueue audit",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), need{key: true}, func(s *session) error {
				found, err := s.Audit(cmd.Context())
				if err != nil {
					return err
				}
				if err := a.print(auditRows(found), found); err != nil {
					return err
				}
				if !found.Clean() {
					return &coded{exitWanting, errors.New("the books and the marketplace do not agree")}
				}
				return nil
			})
		},
	})
}

func auditRows(f *operator.Audit) output.Rows {
	rows := output.Rows{Columns: []string{"finding", "jobs", "what"}, Cells: [][]string{
		{"balance", "", fmt.Sprintf("%s USD", f.BalanceActual)},
	}}
	if f.Drift != nil {
		rows.Cells = append(rows.Cells, []string{"drift", "", fmt.Sprintf("%s USD against %s by the books", f.Drift, f.BalanceExpected)})
	}
	for _, d := range f.Duplicates {
		rows.Cells = append(rows.Cells, []string{"duplicate", fmt.Sprint(d.Jobs), "all carry " + d.Marker})
	}
	for _, d := range f.SeatDifferences {
		what := fmt.Sprintf("%s %s: %d seats were bought, the marketplace tells %d", d.Campaign, d.Item, d.Expected, d.Actual)
		rows.Cells = append(rows.Cells, []string{"seats", fmt.Sprint(d.JobID), what})
	}
	for _, u := range f.Unowned {
		rows.Cells = append(rows.Cells, []string{"unowned", fmt.Sprint(u.JobID), u.Title + " carries " + u.Marker})
	}
	return rows
}
