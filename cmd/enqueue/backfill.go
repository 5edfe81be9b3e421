package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) backfillCommand() *cobra.Command {
	var from, to string
	var yes, dry bool
	cmd := &cobra.Command{
		Use:   "backfill CAMPAIGN ACTION --from T --to T",
		Short: "Run the slots of a range, under the same budgets and rules",
		Long: "Runs the slots that an action has from one time to another, both included, each as its own\n" +
			"occurrence: under the same budgets, and where the action may not overlap itself one after the\n" +
			"other, oldest first. A slot that ran already, or was skipped, is told of and not repeated. Times\n" +
			"are read as in a spec, in the action's zone; a date means the whole day. The slots and their cost\n" +
			"are shown first, and it asks unless --yes is given.",
		Example:           "  enqueue backfill street-signs add_seats --from 2026-11-20 --to 2026-11-23T12:00",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" || to == "" {
				return usage("give the range with --from and --to")
			}
			if !yes && !dry && !output.IsTerminal(a.in) {
				return output.ErrNoTerminal
			}
			ctx := cmd.Context()
			return a.with(ctx, need{}, func(s *session) error {
				b, err := s.PlanBackfill(ctx, args[0], args[1], from, to)
				if err != nil {
					return err
				}
				if err := a.tellBackfill(b); err != nil {
					return err
				}
				if b.New > 0 && !dry {
					if err := a.agree(ctx, yes, "Run them?"); err != nil {
						return err
					}
					if err := s.StartBackfill(ctx, b); err != nil {
						return err
					}
				}
				if a.format == output.Table {
					return nil
				}
				return a.print(backfillRows(b), b)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first time, such as 2026-11-20 or 2026-11-20T09:00")
	cmd.Flags().StringVar(&to, "to", "", "the last time")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show the slots and their cost, and do nothing")
	return a.allFlag(cmd)
}

// tellBackfill shows the slots of a backfill as a table, and sums them up.
func (a *app) tellBackfill(b *operator.Backfill) error {
	if a.format == output.Table {
		if err := a.print(backfillRows(b), nil); err != nil {
			return err
		}
	}
	for _, w := range b.Warnings {
		a.say("Warning: %s", w)
	}
	cost := "unknown"
	if b.Cost != nil {
		cost = b.Cost.String() + " USD"
	}
	a.say("%d of %d slots are to run, at a cost of: %s", b.New, len(b.Slots), cost)
	return nil
}

func backfillRows(b *operator.Backfill) output.Rows {
	rows := output.Rows{Columns: []string{"slot", "local", "items", "cost", "state"}}
	for _, s := range b.Slots {
		rows.Cells = append(rows.Cells, []string{clock(s.Slot), inZone(s.Local, s.Slot), fmt.Sprint(s.Items), dollars(s.Cost), s.State})
	}
	return rows
}
