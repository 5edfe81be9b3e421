package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// rateFlags are those of rate.
type rateFlags struct {
	decisions    string
	dryRun, wait bool
}

func (a *app) rateCommand() *cobra.Command {
	var flags rateFlags
	cmd := &cobra.Command{
		Use:   "rate CAMPAIGN",
		Short: "Rate applications in bulk: by the campaign's rules, or from a file",
		Long: "Rates the pending applications of a campaign by its rules, or by the decisions of a CSV file with the\n" +
			"columns application_id, verdict (approve, decline, redo or leave) and reason. All that is wrong with\n" +
			"a file is told before anything is sent. On a terminal the progress is shown; --wait=false leaves it out.",
		Example:           "  enqueue rate street-signs --decisions verdicts.csv --dry-run",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			// On a terminal a person watches.
			if !cmd.Flags().Changed("wait") {
				flags.wait = output.IsTerminal(a.err) && output.IsTerminal(a.out)
			}
			if flags.decisions != "" {
				return a.rateByFile(cmd.Context(), args[0], &flags)
			}
			return a.rateByRules(cmd.Context(), args[0], &flags)
		},
	}
	cmd.Flags().StringVar(&flags.decisions, "decisions", "", "a CSV file of application_id,verdict,reason")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show the decisions and send nothing")
	return a.allFlag(waitFlag(cmd, &flags.wait))
}

func (a *app) rateByFile(ctx context.Context, campaign string, flags *rateFlags) error {
	f, err := os.Open(flags.decisions)
	if err != nil {
		return &coded{exitUsage, err}
	}
	defer f.Close()
	list, wrong := operator.ReadDecisions(f)
	if wrong != nil {
		wrong = &coded{exitUsage, fmt.Errorf("%s: %w", flags.decisions, wrong)}
	}
	if len(list) == 0 {
		return wrong
	}
	reached := false
	err = a.with(ctx, need{key: true}, func(s *session) error {
		reached = true
		checked, err := s.CheckDecisions(ctx, campaign, list)
		if wrong != nil || err != nil { // all that is wrong is told, before anything is sent
			return errors.Join(wrong, err)
		}
		if n := len(list) - len(checked); n > 0 {
			a.say("%d of %d applications have that verdict already", n, len(list))
		}
		if flags.dryRun {
			return a.decisions(checked)
		}
		if len(checked) == 0 {
			return nil
		}
		done, err := s.Rate(ctx, campaign, checked)
		if err != nil {
			return err
		}
		return a.follow(ctx, s, done, flags.wait)
	})
	if wrong != nil && !reached {
		return wrong
	}
	return err
}

func (a *app) rateByRules(ctx context.Context, campaign string, flags *rateFlags) error {
	return a.with(ctx, need{key: flags.dryRun}, func(s *session) error {
		if flags.dryRun {
			found, err := s.Judged(ctx, campaign)
			if err != nil {
				return err
			}
			return a.decisions(found)
		}
		done, err := s.Review(ctx, campaign)
		if err != nil {
			return err
		}
		return a.follow(ctx, s, done, flags.wait)
	})
}

func (a *app) decisions(list []operator.Decision) error {
	rows := output.Rows{Columns: []string{"application_id", "job_id", "item", "verdict", "reason", "rule"}, Empty: "no application waits for a verdict"}
	for _, d := range list {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(d.ApplicationID), fmt.Sprint(d.JobID), d.Item, string(d.Verdict), d.Reason, d.Rule,
		})
	}
	return a.print(rows, list)
}
