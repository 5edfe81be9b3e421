package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// byHand is a request that is agreed to, journalled, and waited for.
type byHand struct {
	// question is what a person agrees to.
	question string
	do       func(ctx context.Context, s *session) (*operator.Started, error)
}

// handCommand makes a command of a request by hand. read checks the arguments.
func (a *app) handCommand(cmd *cobra.Command, read func(args []string) (byHand, error)) *cobra.Command {
	var yes bool
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		h, err := read(args)
		if err != nil {
			return err
		}
		if err := a.agree(cmd.Context(), yes, h.question); err != nil {
			return err
		}
		return a.with(cmd.Context(), need{key: true}, func(s *session) error {
			done, err := h.do(cmd.Context(), s)
			if err != nil {
				return err
			}
			return a.follow(cmd.Context(), s, done, true)
		})
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) createCommand() *cobra.Command {
	return a.handCommand(&cobra.Command{
		Use: "create FILE", Short: "Create a job from a file with the keys of a spec's job", Args: cobra.ExactArgs(1),
		Example: "  enqueue api create job.yaml --yes",
	}, func(args []string) (byHand, error) {
		job, err := readJob(args[0])
		if err != nil {
			return byHand{}, err
		}
		return byHand{
			question: fmt.Sprintf("Create %q with %d seats at %s USD?", job.Title, job.Seats, job.Price),
			do: func(ctx context.Context, s *session) (*operator.Started, error) {
				return s.CreateJob(ctx, job)
			},
		}, nil
	})
}

func (a *app) updateCommand() *cobra.Command {
	return a.handCommand(&cobra.Command{
		Use: "update JOB FILE", Short: "Change a job by a file with the keys of an update's set", Args: cobra.ExactArgs(2),
		Example: "  enqueue api update 15341 change.yaml --yes",
	}, func(args []string) (byHand, error) {
		id, err := number("the id of a job", args[0])
		if err != nil {
			return byHand{}, err
		}
		set, err := readUpdate(args[1])
		return byHand{
			question: fmt.Sprintf("Change job %d?", id),
			do: func(ctx context.Context, s *session) (*operator.Started, error) {
				return s.UpdateJob(ctx, id, set)
			},
		}, err
	})
}

func (a *app) addSeatsCommand() *cobra.Command {
	return a.seatsCommand(planner.AddSeats, &cobra.Command{
		Use: "add-seats JOB N", Short: "Buy more seats of a job", Example: "  enqueue api add-seats 15341 10 --yes",
	})
}

func (a *app) resumeJobCommand() *cobra.Command {
	return a.seatsCommand(planner.Resume, &cobra.Command{
		Use: "resume JOB N", Short: "Put a finished job online again with new seats", Example: "  enqueue api resume 15341 10 --yes",
	})
}

func (a *app) seatsCommand(kind planner.Kind, cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ExactArgs(2)
	return a.handCommand(cmd, func(args []string) (byHand, error) {
		id, err := number("the id of a job", args[0])
		if err != nil {
			return byHand{}, err
		}
		seats, err := number("a number of seats", args[1])
		return byHand{
			question: fmt.Sprintf("Buy %d seats of job %d?", seats, id),
			do: func(ctx context.Context, s *session) (*operator.Started, error) {
				return s.ActOnJob(ctx, id, kind, int(seats))
			},
		}, err
	})
}

func (a *app) pauseJobCommand() *cobra.Command {
	return a.bareCommand(planner.Pause, &cobra.Command{
		Use: "pause JOB", Short: "Finish a job; its open seats are refunded", Example: "  enqueue api pause 15341 --yes",
	})
}

func (a *app) restartCommand() *cobra.Command {
	return a.bareCommand(planner.Restart, &cobra.Command{
		Use: "restart JOB", Short: "Let the same workers do a job again", Example: "  enqueue api restart 15341 --yes",
	})
}

func (a *app) bareCommand(kind planner.Kind, cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	return a.handCommand(cmd, func(args []string) (byHand, error) {
		id, err := number("the id of a job", args[0])
		verb := strings.ToUpper(string(kind[:1])) + string(kind[1:])
		return byHand{
			question: fmt.Sprintf("%s job %d?", verb, id),
			do: func(ctx context.Context, s *session) (*operator.Started, error) {
				return s.ActOnJob(ctx, id, kind, 0)
			},
		}, err
	})
}

func (a *app) setCommand() *cobra.Command {
	return a.handCommand(&cobra.Command{
		Use: "set APPLICATION VERDICT [REASON]", Short: "Rate an application: approve, decline or redo", Args: cobra.RangeArgs(2, 3),
		Example: `  enqueue api set 152 redo "Please add the screenshot." --yes`,
	}, func(args []string) (byHand, error) {
		id, err := number("the id of an application", args[0])
		if err != nil {
			return byHand{}, err
		}
		reason := ""
		if len(args) == 3 {
			reason = args[2]
		}
		verdict := campaigns.Verdict(args[1])
		if err := operator.CheckVerdict(verdict, reason); err != nil {
			return byHand{}, usage("%w", err)
		}
		return byHand{
			question: fmt.Sprintf("Set application %d to %s?", id, verdict),
			do: func(ctx context.Context, s *session) (*operator.Started, error) {
				return s.SetApplication(ctx, id, verdict, reason)
			},
		}, nil
	})
}
