package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) auditCommand() *cobra.Command {
	var dry, accept bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Compare the books with the marketplace, and put right what surely can be",
		Long: "Compares the books with the marketplace: the balance, jobs with one marker, seats that differ, jobs\n" +
			"with our marker that no campaign owns, jobs that were deleted. Of two jobs with one marker the younger is\n" +
			"booked under campaign manual and paused; a create that was told of a wrong job gets the right one. The\n" +
			"runner does the same every hour. It exits with 4 where they did not agree.",
		Example: "  enqueue audit --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dry && accept {
				return usage("--dry-run changes nothing, so leave --accept-drift out")
			}
			return a.with(cmd.Context(), need{key: true}, func(s *session) error { return a.audit(cmd.Context(), s, dry, accept) })
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only tell")
	cmd.Flags().BoolVar(&accept, "accept-drift", false, "take the balance as it is for what the books expect")
	return a.allFlag(cmd)
}

func (a *app) audit(ctx context.Context, s *session, dry, accept bool) error {
	if accept {
		drift, err := s.AcceptDrift(ctx)
		if err != nil {
			return err
		}
		a.say("a drift of %s USD is accepted", drift)
	}
	look := s.Reconcile
	if dry {
		look = s.Audit
	}
	found, err := look(ctx)
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
}

func auditRows(f *operator.Audit) output.Rows {
	rows := output.Rows{Columns: []string{"finding", "jobs", "what"}, Cells: [][]string{
		{"balance", "", fmt.Sprintf("%s USD", f.BalanceActual)},
	}}
	if f.Drift != nil {
		rows.Cells = append(rows.Cells, []string{"drift", "", fmt.Sprintf("%s USD against %s by the books", f.Drift, f.BalanceExpected)})
	}
	for _, d := range f.Duplicates {
		what := "all carry " + d.Marker
		if len(d.Paused) > 0 {
			what += fmt.Sprintf("; %d keeps its place, %v are paused where they are online", d.Kept, d.Paused)
		}
		rows.Cells = append(rows.Cells, []string{"duplicate", fmt.Sprint(d.Jobs), what})
	}
	for _, m := range f.Misplaced {
		what := fmt.Sprintf("%s made job %d and was told of this one", m.Op, m.Right)
		if m.Right == 0 {
			what = fmt.Sprintf("it carries %s instead of the marker of %s", m.Found, m.Op)
		}
		if m.Mended {
			what += "; the books were corrected"
		}
		rows.Cells = append(rows.Cells, []string{"misplaced", fmt.Sprint(m.JobID), what})
	}
	for _, m := range f.Missing {
		rows.Cells = append(rows.Cells, []string{"missing", fmt.Sprint(m.JobID), fmt.Sprintf("%s %s: deleted on the marketplace", m.Campaign, m.Item)})
	}
	for _, d := range f.SeatDifferences {
		what := fmt.Sprintf("%s %s: %d seats were bought, the marketplace tells %d", d.Campaign, d.Item, d.Expected, d.Actual)
		rows.Cells = append(rows.Cells, []string{"seats", fmt.Sprint(d.JobID), what})
	}
	for _, u := range f.Unowned {
		what := u.Title + " carries " + u.Marker
		if u.Op != "" {
			what += fmt.Sprintf(" of %s, which is %s", u.Op, u.State)
		}
		rows.Cells = append(rows.Cells, []string{"unowned", fmt.Sprint(u.JobID), what})
	}
	return rows
}
