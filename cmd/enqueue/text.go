package main

import (
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// clock is a time as cells show it.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func clockOr(t *time.Time) string {
	if t == nil {
		return ""
	}
	return clock(*t)
}

// or is the text of a value that may be unknown.
func or[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}

func dollars(a *money.USD) string { return or(a) }

func operationRows(ops []operator.Operation, empty string) output.Rows {
	rows := output.Rows{
		Columns: []string{
			"id", "campaign", "action", "item", "kind", "slot", "state", "job_id", "application_id",
			"attempts", "quote", "cost", "error", "created_at", "settled_at",
		},
		Empty: empty,
	}
	for _, o := range ops {
		rows.Cells = append(rows.Cells, []string{
			o.ID, o.Campaign, o.Action, o.Item, string(o.Kind), clock(o.Slot), string(o.State), or(o.JobID), or(o.ApplicationID),
			fmt.Sprint(o.Attempts), dollars(o.Quote), dollars(o.Cost), or(o.Error), clockOr(o.CreatedAt), clockOr(o.SettledAt),
		})
	}
	return rows
}

// shortOperations are the columns that fit on a terminal.
func shortOperations(ops []operator.Operation, empty string) output.Rows {
	rows := output.Rows{Columns: []string{"id", "kind", "state", "job", "cost", "error"}, Empty: empty}
	for _, o := range ops {
		rows.Cells = append(rows.Cells, []string{o.ID, string(o.Kind), string(o.State), or(o.JobID), dollars(o.Cost), or(o.Error)})
	}
	return rows
}

// operations prints operations: all columns, or on a table those that fit.
func (a *app) operations(ops []operator.Operation, empty string, value any) error {
	if a.format == output.Table {
		return a.print(shortOperations(ops, empty), value)
	}
	return a.print(operationRows(ops, empty), value)
}
