package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// waitFlag adds --wait to a command that sets something going.
func waitFlag(cmd *cobra.Command, wait *bool) *cobra.Command {
	cmd.Flags().BoolVar(wait, "wait", false, "show progress until all of it is settled")
	return cmd
}

// follow shows what a command set going: as it is, or as it ended.
func (a *app) follow(ctx context.Context, s *session, done *operator.Started, wait bool) error {
	if !wait {
		if done.Review {
			a.say("a rating run is enqueued: `enqueue ops` shows its decisions")
		}
		return a.operations(done.Operations, "", done.Operations)
	}
	p, err := a.wait(ctx, s, done.Work)
	if err != nil {
		return err
	}
	ops := make([]operator.Operation, 0, len(done.Operations))
	for _, op := range done.Operations {
		d, err := s.Operation(ctx, op.ID)
		if err != nil {
			return err
		}
		ops = append(ops, d.Operation)
	}
	if done.Review {
		result := told(1, p)
		return firstError(a.print(result.rows(), result), wanting(p))
	}
	return firstError(a.operations(ops, "", ops), wanting(p))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// agree asks before something is done, unless --yes was given.
func (a *app) agree(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	agreed, err := output.Confirm(ctx, a.in, a.err, question)
	if err != nil {
		return err
	}
	if !agreed {
		return &coded{code: exitFailed}
	}
	return nil
}
