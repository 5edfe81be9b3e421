package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) exportCommand() *cobra.Command {
	var format, campaign string
	cmd := &cobra.Command{
		Use:       "export applications|ledger|ops",
		Short:     "Write applications, money entries or operations as CSV or JSONL",
		Example:   "  enqueue export applications --campaign street-signs --format csv > applications.csv",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"applications", "ledger", "ops"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "csv" && format != "jsonl" {
				return usage("--format %q is neither csv nor jsonl", format)
			}
			return a.with(cmd.Context(), need{key: args[0] == "applications"}, func(s *session) error {
				rows, values, err := exported(cmd.Context(), s, args[0], campaign)
				if err != nil {
					return err
				}
				if format == "jsonl" {
					return a.lines(values)
				}
				return output.New(a.out, output.CSV, false).Print(rows, nil)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv or jsonl")
	cmd.Flags().StringVar(&campaign, "campaign", "", "of this campaign alone; the ledger has all")
	_ = cmd.RegisterFlagCompletionFunc("campaign", a.completeCampaign)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"csv", "jsonl"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// exported reads what is to be written, as rows and as values.
func exported(ctx context.Context, s *session, what, campaign string) (rows output.Rows, values []any, err error) {
	switch what {
	case "ledger":
		entries, err := s.Ledger(ctx)
		if err != nil {
			return rows, nil, err
		}
		return ledgerRows(entries), anys(entries), nil
	case "ops":
		ops, err := s.Operations(ctx, journal.Filter{Campaign: campaign})
		if err != nil {
			return rows, nil, err
		}
		return operationRows(ops, ""), anys(ops), nil
	}
	var apps []operator.Application
	for app, err := range s.Applications(ctx, campaign) {
		if err != nil {
			return rows, nil, err
		}
		apps = append(apps, app)
	}
	return applicationRows(apps), anys(apps), nil
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// lines writes one JSON value a line.
func (a *app) lines(values []any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

func applicationRows(apps []operator.Application) output.Rows {
	rows := output.Rows{Columns: []string{
		"application_id", "job_id", "campaign", "item", "worker", "status", "reason", "applied_at", "proof", "screenshots",
	}}
	for _, p := range apps {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(p.ApplicationID), fmt.Sprint(p.JobID), p.Campaign, p.Item, fmt.Sprint(p.Worker), p.Status, p.Reason,
			clock(p.AppliedAt), p.Proof, strings.Join(p.Screenshots, " "),
		})
	}
	return rows
}
