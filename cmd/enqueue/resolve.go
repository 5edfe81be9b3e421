package main

import (
	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

func (a *app) resolveCommand() *cobra.Command {
	var w operator.Word
	var not, wait bool
	var cost string
	cmd := &cobra.Command{
		Use:   "resolve OP --applied | --not-applied",
		Short: "Say what became of an operation that the program must not guess",
		Long: "Takes a person's word on an operation that is parked or unknown. --applied books it: a create needs\n" +
			"--job-id, and the cost is what is reserved unless --cost says otherwise. --not-applied frees its\n" +
			"reservation; with --retry it is sent again.",
		Example:           "  enqueue resolve street-signs/create/Izmir/20261201T090000Z --applied --job-id 15341",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeOp(planner.Parked, planner.Unknown),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkWord(&w, not, cost); err != nil {
				return err
			}
			return a.with(cmd.Context(), need{key: w.JobID != 0}, func(s *session) error {
				done, err := s.Resolve(cmd.Context(), args[0], w)
				if err != nil {
					return err
				}
				return a.follow(cmd.Context(), s, done, wait)
			})
		},
	}
	cmd.Flags().BoolVar(&w.Applied, "applied", false, "it was done")
	cmd.Flags().BoolVar(&not, "not-applied", false, "it was not done")
	cmd.Flags().Int64Var(&w.JobID, "job-id", 0, "the job that a create made")
	cmd.Flags().StringVar(&cost, "cost", "", "what was charged, in USD")
	cmd.Flags().BoolVar(&w.Retry, "retry", false, "send it again")
	return waitFlag(cmd, &wait)
}

func checkWord(w *operator.Word, not bool, cost string) error {
	switch {
	case w.Applied == not:
		return usage("say either --applied or --not-applied")
	case not && (w.JobID != 0 || cost != ""):
		return usage("--job-id and --cost go with --applied")
	case w.Applied && w.Retry:
		return usage("--retry goes with --not-applied")
	case w.JobID < 0:
		return usage("--job-id %d is no id of a job", w.JobID)
	}
	if cost == "" {
		return nil
	}
	amount, err := money.Parse(cost)
	if err != nil || amount < 0 {
		return usage("--cost %q is no amount of dollars such as 4.85", cost)
	}
	w.Cost = &amount
	return nil
}
