package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// exportFlags are those of export.
type exportFlags struct {
	format, campaign string
	// screenshots is the directory that they are kept in.
	screenshots string
	emails      bool
}

func (a *app) exportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export applications|ledger|ops|results [CAMPAIGN]",
		Short: "Write applications, results, money entries or operations as CSV or JSONL",
		Long: "Writes applications, money entries or operations, or the results of a campaign: its approved answers,\n" +
			"with the columns of their items. As CSV unless --format or -o says otherwise; in CSV no text is a formula\n" +
			"to a spreadsheet. Workers' e-mail addresses are left out without --emails. With --screenshots the pictures\n" +
			"of the results are kept in a directory too, each once: application 590555's first as 590555-1.jpg.\n" +
			"Applications and results are written as they are read: one that fails half-way has exit code 1.",
		Example: "  enqueue export results street-signs --screenshots pictures > signs.csv\n" +
			"  enqueue export applications --campaign street-signs -o jsonl > applications.jsonl",
		Args: cobra.RangeArgs(1, 2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"applications", "ledger", "ops", "results"}, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeCampaign(cmd, nil, start)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := a.exportFormat(flags.format)
			if err != nil {
				return err
			}
			if err := flags.check(args); err != nil {
				return err
			}
			market := args[0] == "applications" || args[0] == "results"
			return a.with(cmd.Context(), need{key: market}, func(s *session) error {
				if market {
					return a.exportAnswers(cmd.Context(), s, args[0], &flags, format)
				}
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
	cmd.Flags().StringVar(&flags.screenshots, "screenshots", "", "keep the results' screenshots in this directory")
	_ = cmd.RegisterFlagCompletionFunc("campaign", a.completeCampaign)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"csv", "jsonl"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check takes the campaign as an argument or as a flag.
func (f *exportFlags) check(args []string) error {
	switch what := args[0]; what {
	case "applications", "ledger", "ops", "results":
		if f.emails && what != "applications" && what != "results" {
			return usage("--emails goes with applications and results")
		}
		if f.screenshots != "" && what != "results" {
			return usage("--screenshots goes with results")
		}
	default:
		return usage("%q is nothing to export%s: give applications, ledger, ops or results", what,
			campaigns.DidYouMean(what, []string{"applications", "ledger", "ops", "results"}))
	}
	if len(args) == 2 {
		if f.campaign != "" && f.campaign != args[1] {
			return usage("two campaigns are given, %s and %s", args[1], f.campaign)
		}
		f.campaign = args[1]
	}
	if args[0] == "results" && f.campaign == "" {
		return usage("whose results? `enqueue export results CAMPAIGN`")
	}
	return nil
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

// exported reads what is to be written of the books, as rows and as values.
func exported(ctx context.Context, s *session, what string, flags *exportFlags) (output.Rows, any, error) {
	if what == "ledger" {
		entries, err := s.Ledger(ctx)
		return ledgerRows(entries), entries, err
	}
	ops, err := s.Operations(ctx, journal.Filter{Campaign: flags.campaign})
	return operationRows(ops, ""), ops, err
}
