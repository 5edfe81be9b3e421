package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) resumeCommand() *cobra.Command {
	var all, yes bool
	cmd := &cobra.Command{
		Use:   "resume CAMPAIGN | --all",
		Short: "Let a campaign go on, and open its budgets; with --all lift a stop",
		Long: "Lets a campaign go on: its schedule runs, what was held is carried out, and its budgets that reached\n" +
			"their threshold are opened. Jobs that were paused stay finished: `enqueue run` or\n" +
			"`enqueue api resume` buys seats for them. --all lifts `enqueue stop --all`.\n\n" +
			"First it tells which slots that passed meanwhile will run, by catch_up, and what they cost; on a\n" +
			"terminal it asks then.",
		Example:           "  enqueue resume street-signs",
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) || len(args) > 1 {
				return usage("give the name of one campaign, or --all")
			}
			ctx := cmd.Context()
			return a.with(ctx, need{}, func(s *session) error {
				name := ""
				if !all {
					name = args[0]
				}
				pv, err := s.Preview(ctx, name)
				if err != nil {
					return err
				}
				if err := a.tellPreview(pv); err != nil {
					return err
				}
				// Without a terminal there is nobody to ask, and nothing is bought
				// that the spec did not ask for.
				if err := a.agree(ctx, yes || !output.IsTerminal(a.in), "Go on?"); err != nil {
					return err
				}
				var done *operator.Steered
				if all {
					done, err = s.ResumeAll(ctx)
				} else {
					done, err = s.Resume(ctx, args[0])
				}
				if err != nil {
					return err
				}
				done.Preview = pv
				if done.Offline > 0 {
					a.say("%d jobs stay finished: an action, `enqueue run` or `enqueue api resume` buys seats for them", done.Offline)
				}
				return a.steered(ctx, s, done, false)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&all, "all", false, "lift the stop of everything")
	return cmd
}

// tellPreview says on standard error what runs at once if a campaign goes on.
func (a *app) tellPreview(pv *operator.Preview) error {
	for _, w := range pv.Warnings {
		a.say("Warning: %s", w)
	}
	if len(pv.Slots) > 0 {
		p := output.New(a.err, output.Table, output.IsTerminal(a.err))
		if err := p.Print(upcomingRows(pv.Slots), nil); err != nil {
			return err
		}
	}
	cost := "unknown"
	if pv.Cost != nil {
		cost = pv.Cost.String() + " USD"
	}
	left := ""
	if pv.Dropped > 0 {
		left = fmt.Sprintf("; %d are left out, by catch_up", pv.Dropped)
	}
	a.say("%d slots passed that will run, at a cost of: %s%s", len(pv.Slots), cost, left)
	return nil
}
