package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// exportFlags are those of export.
type exportFlags struct {
	format, campaign string
	emails           bool
}

func (a *app) exportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export applications|ledger|ops",
		Short: "Write applications, money entries or operations as CSV or JSONL",
		Long: "Writes applications, money entries or operations, as CSV unless --format or -o says otherwise. In CSV no\n" +
			"text is a formula to a spreadsheet. Workers' e-mail addresses are left out without --emails.",
		Example:   "  enqueue export applications --campaign street-signs -o jsonl > applications.jsonl",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"applications", "ledger", "ops"},
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := a.exportFormat(flags.format)
			if err != nil {
				return err
			}
			if flags.emails && args[0] != "applications" {
				return usage("--emails goes with applications")
			}
			return a.with(cmd.Context(), need{key: args[0] == "applications"}, func(s *session) error {
				rows, value, err := exported(cmd.Context(), s, args[0], &flags)
				if err != nil {
					return err
				}
				return output.New(a.out, format, false).Print(rows, value)
			})
		},
	}
	cmd.Flags().StringVar(&flags.format, "format", "", "csv or jsonl; -o takes json and yaml too")
	cmd.Flags().StringVar(&flags.campaign, "campaign", "", "of this campaign alone; the ledger has all")
	cmd.Flags().BoolVar(&flags.emails, "emails", false, "with the workers' e-mail addresses, which are personal data")
	_ = cmd.RegisterFlagCompletionFunc("campaign", a.completeCampaign)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"csv", "jsonl"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// exportFormat is how an export is written: a table is for reading alone.
func (a *app) exportFormat(format string) (output.Format, error) {
	switch {
	case format == "csv" || format == "jsonl":
		return output.Format(format), nil
	case format != "":
		return "", usage("--format %q is neither csv nor jsonl", format)
	case a.format == output.Table:
		return output.CSV, nil
	}
	return a.format, nil
}

// exported reads what is to be written, as rows and as values.
func exported(ctx context.Context, s *session, what string, flags *exportFlags) (output.Rows, any, error) {
	switch what {
	case "ledger":
		entries, err := s.Ledger(ctx)
		return ledgerRows(entries), entries, err
	case "ops":
		ops, err := s.Operations(ctx, journal.Filter{Campaign: flags.campaign})
		return operationRows(ops, ""), ops, err
	}
	apps := []operator.Application{}
	for app, err := range s.Applications(ctx, flags.campaign, flags.emails) {
		if err != nil {
			return output.Rows{}, nil, err
		}
		apps = append(apps, app)
	}
	return applicationRows(apps, flags.emails), apps, nil
}

func applicationRows(apps []operator.Application, emails bool) output.Rows {
	rows := output.Rows{Columns: []string{
		"application_id", "job_id", "campaign", "item", "worker", "status", "reason", "applied_at", "proof", "screenshots",
	}}
	if emails {
		rows.Columns = append(rows.Columns, "email")
	}
	for _, p := range apps {
		row := []string{
			fmt.Sprint(p.ApplicationID), fmt.Sprint(p.JobID), p.Campaign, p.Item, fmt.Sprint(p.Worker), p.Status, p.Reason,
			clock(p.AppliedAt), p.Proof, strings.Join(p.Screenshots, " "),
		}
		if emails {
			row = append(row, p.Email)
		}
		rows.Cells = append(rows.Cells, row)
	}
	return rows
}
