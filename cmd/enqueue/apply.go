package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// applyFlags are those of apply.
type applyFlags struct {
	planFlags
	saved     string
	yes, wait bool
}

func (a *app) applyCommand() *cobra.Command {
	var flags applyFlags
	cmd := &cobra.Command{
		Use:   "apply FILE… | --plan SAVED",
		Short: "Show the plan, ask, register the campaigns and enqueue what is due",
		Long: "Shows the plan, asks, registers the campaigns and enqueues what is due; a runner carries it out.\n" +
			"Campaigns that are no longer in a file end: their jobs stay as they are.\n" +
			"Applying the same again does nothing.",
		Example: "  enqueue apply campaigns.yaml --yes --wait",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (flags.saved == "") == (len(args) == 0) {
				return usage("give spec files, or --plan and a saved plan")
			}
			return a.apply(cmd.Context(), args, &flags)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.saved, "plan", "", "apply the plan that was saved to a file, if it still fits")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&flags.wait, "wait", false, "show progress until all of it is settled")
	return a.allFlag(cmd)
}

func (a *app) apply(ctx context.Context, paths []string, flags *applyFlags) error {
	var saved *operator.Saved
	var files []*campaigns.File
	var err error
	if flags.saved != "" {
		saved, files, err = a.savedPlan(flags.saved)
	} else {
		files, err = a.load(paths)
	}
	if err != nil {
		return err
	}
	if !flags.yes && !output.IsTerminal(a.in) {
		return output.ErrNoTerminal
	}
	return a.with(ctx, need{key: true}, func(s *session) error {
		p, err := a.planned(ctx, s, files, saved, operator.Options{Horizon: time.Duration(flags.horizon)})
		if err != nil {
			return err
		}
		if err := a.showPlan(a.err, output.Table, p); err != nil {
			return err
		}
		if p.Changes() && !flags.yes {
			agreed, err := output.Confirm(ctx, a.in, a.err, "Apply this plan?")
			if err != nil {
				return err
			}
			if !agreed {
				return &coded{code: exitFailed}
			}
		}
		done, err := s.Apply(ctx, p)
		if err != nil {
			return err
		}
		return a.finish(ctx, s, done, flags.wait)
	})
}

// finish waits for what an apply set going, where wanted, and tells the result.
func (a *app) finish(ctx context.Context, s *session, done *operator.Applied, wait bool) error {
	var p operator.Progress
	var err error
	if wait {
		p, err = a.wait(ctx, s, done.Work)
	} else {
		p, err = s.Track(done.Work).Look(ctx)
	}
	if err != nil {
		return err
	}
	result := told(done.Campaigns, p)
	if err := a.print(result.rows(), result); err != nil {
		return err
	}
	if a.format == output.Table {
		a.say("%d campaigns applied, %s USD charged", result.Campaigns, result.Cost)
	}
	if !wait {
		return nil
	}
	return wanting(p)
}
