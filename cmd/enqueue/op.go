package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

func (a *app) opCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use:               "op ID",
		Short:             "Show one operation's whole history: slot, quote, each attempt, evidence, charge",
		Example:           "  enqueue op street-signs/create/Izmir/20261201T090000Z",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeOp(planner.Parked, planner.Unknown, planner.Rejected),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), need{}, func(s *session) error {
				d, err := s.Operation(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if a.format == output.Table {
					if err := a.print(factRows(d), d); err != nil {
						return err
					}
					if _, err := fmt.Fprintln(a.out); err != nil {
						return err
					}
				}
				return a.print(historyRows(d), d)
			})
		},
	})
}

// factRows are what is known of an operation, one fact a row.
func factRows(d *operator.Detail) output.Rows {
	rows := output.Rows{Columns: []string{"fact", "value"}}
	for _, fact := range [][2]string{
		{"operation", d.ID}, {"kind", string(d.Kind)}, {"state", string(d.State)}, {"slot", clock(d.Slot)}, {"item", d.Item},
		{"job", or(d.JobID)}, {"application", or(d.ApplicationID)}, {"verdict", d.Verdict}, {"reason", d.Reason},
		{"because", d.Because}, {"marker", d.Marker}, {"quote", dollars(d.Quote)}, {"reserved", d.Reserved.String()},
		{"cost", dollars(d.Cost)}, {"refund", dollars(d.Refund)}, {"error", or(d.Error)}, {"looked at next", clockOr(d.Due)},
	} {
		if fact[1] != "" {
			rows.Cells = append(rows.Cells, fact[:])
		}
	}
	return rows
}

func historyRows(d *operator.Detail) output.Rows {
	rows := output.Rows{Columns: []string{"at", "state", "attempt", "amount", "note", "evidence"}}
	for _, e := range d.History {
		evidence := ""
		if raw, ok := e.Evidence.(json.RawMessage); ok {
			evidence = string(raw)
		}
		rows.Cells = append(rows.Cells, []string{
			clock(e.At), string(e.State), fmt.Sprint(e.Attempt), dollars(e.Amount), e.Note, evidence,
		})
	}
	return rows
}
