package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) ledgerCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use:     "ledger",
		Short:   "List the money entries, newest first",
		Example: "  enqueue ledger -o csv > ledger.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), need{}, func(s *session) error {
				entries, err := s.Ledger(cmd.Context())
				if err != nil {
					return err
				}
				return a.print(ledgerRows(entries), entries)
			})
		},
	})
}

func ledgerRows(entries []operator.Entry) output.Rows {
	rows := output.Rows{Columns: []string{"at", "kind", "amount", "op", "job_id", "budgets"}, Empty: "no money has moved"}
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		rows.Cells = append(rows.Cells, []string{
			clock(e.At), e.Kind, e.Amount.String(), e.Op, or(e.JobID), strings.Join(e.Budgets, ", "),
		})
	}
	return rows
}
