package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

func (a *app) recoverCommand() *cobra.Command {
	var logs, without []string
	cmd := &cobra.Command{
		Use:   "recover [FILE…]",
		Short: "Rebuild lost state from send logs and from the markers in the marketplace's own jobs",
		Long: "First writes into the journal what the send logs know and it does not: as it ended, or as unknown, to be\n" +
			"read back. The logs in the data directory are read by themselves; --log adds those of runners elsewhere.\n\n" +
			"Then, with FILEs, reads every job of the account and books those whose marker a campaign of the files\n" +
			"explains. The campaigns of those jobs are registered. Where an item has no job, a person decides with\n" +
			"`enqueue retry`. Give all spec files at once.\n\n" +
			"Nothing is created and nothing is bought. In the end the runners that stopped for this go on.",
		Example: "  enqueue recover campaigns.yaml other.yaml\n" +
			"  enqueue recover campaigns.yaml --log other-host/sends/ABC.log\n" +
			"  enqueue recover campaigns.yaml --without ABC",
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.load(args)
			if err != nil {
				return err
			}
			in, err := a.sends(logs, without)
			if err != nil {
				return err
			}
			if len(files) == 0 && len(in.Logs)+len(in.Given)+len(without) == 0 {
				return errors.New("there is nothing to recover from: name the spec files, or a send log with --log")
			}
			return a.with(cmd.Context(), need{key: len(files) > 0}, func(s *session) error {
				return a.recover(cmd.Context(), s, files, in)
			})
		},
	}
	cmd.Flags().StringArrayVar(&logs, "log", nil, "send log of another runner; may be repeated")
	cmd.Flags().StringArrayVar(&without, "without", nil, "a runner whose send log is lost for good, by the name that `enqueue status` shows; may be repeated")
	return a.allFlag(cmd)
}

// recovered is what a recovery did.
type recovered struct {
	Sends []operator.SendRecovery `json:"sends"`
	Jobs  []operator.Recovery     `json:"jobs"`
	// Frozen are the reasons for which still nothing is sent.
	Frozen []string `json:"frozen"`
}

func (a *app) recover(ctx context.Context, s *session, files []*campaigns.File, in operator.Sends) error {
	out := recovered{Sends: []operator.SendRecovery{}, Jobs: []operator.Recovery{}, Frozen: []string{}}
	done, err := s.Restore(ctx, in, files)
	if err != nil {
		return err
	}
	out.Sends, out.Jobs = append(out.Sends, done.Sends...), append(out.Jobs, done.Jobs...)
	for _, f := range done.Frozen {
		out.Frozen = append(out.Frozen, f.Reason)
	}
	if err := a.showRecovered(out, len(files) > 0 && !done.Waits); err != nil {
		return err
	}
	return errors.Join(unexplained(out.Jobs), stillFrozen(done.Frozen, len(files) > 0 && done.Waits))
}

func (a *app) showRecovered(out recovered, jobs bool) error {
	if a.format == output.JSON || a.format == output.YAML {
		return a.print(output.Rows{}, out)
	}
	if err := a.print(sendRows(out.Sends), out.Sends); err != nil || !jobs {
		return err
	}
	if a.format == output.Table {
		if _, err := fmt.Fprintln(a.out); err != nil {
			return err
		}
	}
	return a.print(recoveryRows(out.Jobs), out.Jobs)
}

// sends reads the send logs of the data directory and those that are named.
func (a *app) sends(logs, without []string) (operator.Sends, error) {
	in := operator.Sends{Without: without}
	disk, address := sendlog.OS(sendlog.Folder(a.set.DataDir)), embedded.Redact(a.set.RedisURL)
	if a.set.RedisURL == "" {
		address = sendlog.Embedded
	}
	var err error
	if in.Logs, err = sendlog.ReadAll(disk); err != nil {
		return in, err
	}
	if in.Journal, err = sendlog.Anchored(disk, address); err != nil {
		return in, err
	}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			return in, fmt.Errorf("send log: %w", err)
		}
		c, err := sendlog.Parse(name, data)
		if err != nil {
			return in, err
		}
		in.Given = append(in.Given, c)
	}
	return in, nil
}

func stillFrozen(left []journal.Freeze, waits bool) error {
	if len(left) == 0 {
		return nil
	}
	later := ""
	if waits {
		later = " (the spec files were not used yet: give them again then, since a log knows more than the markers do)"
	}
	return &coded{exitWanting, fmt.Errorf("still nothing is sent: %s%s", left[0].Reason, later)}
}

func unexplained(found []operator.Recovery) error {
	n := 0
	for _, r := range found {
		if r.Outcome != "recovered" && r.Outcome != "known" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &coded{exitWanting, fmt.Errorf("%d jobs are duplicates, or carry a marker that no campaign of these files explains", n)}
}

func sendRows(found []operator.SendRecovery) output.Rows {
	rows := output.Rows{Columns: []string{"operation", "attempt", "sent", "outcome", "amount"}, Empty: "the journal knows all that the send logs know"}
	for _, r := range found {
		rows.Cells = append(rows.Cells, []string{r.Op, fmt.Sprint(r.Attempt), clock(r.SentAt), r.Outcome, r.Amount})
	}
	return rows
}

func recoveryRows(found []operator.Recovery) output.Rows {
	rows := output.Rows{Columns: []string{"job_id", "outcome", "campaign", "action", "item", "slot", "cost", "title"}, Empty: "no job carries a marker"}
	for _, r := range found {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(r.JobID), r.Outcome, r.Campaign, r.Action, r.Item, clock(r.Slot), r.Cost, r.Title,
		})
	}
	return rows
}
