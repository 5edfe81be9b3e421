package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "status [CAMPAIGN]",
		Short:             "Show campaigns, jobs, seats, spend, what comes next and what needs a person",
		Example:           "  enqueue status street-signs",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			return a.with(cmd.Context(), need{}, func(s *session) error {
				st, err := s.Status(cmd.Context(), name)
				if err != nil {
					return err
				}
				return a.showStatus(st, name != "")
			})
		},
	}
	return a.allFlag(cmd)
}

func (a *app) showStatus(st *operator.Status, one bool) error {
	if err := a.print(campaignRows(st), st); err != nil || a.format != output.Table {
		return err
	}
	if one && len(st.Campaigns[0].Jobs) > 0 {
		if _, err := fmt.Fprintln(a.out); err != nil {
			return err
		}
		if err := a.print(jobRows(st.Campaigns[0].Jobs), nil); err != nil {
			return err
		}
	}
	if one && len(st.Campaigns[0].Upcoming) > 0 {
		if _, err := fmt.Fprintln(a.out); err != nil {
			return err
		}
		if err := a.print(slotRows(st.Campaigns[0].Upcoming), nil); err != nil {
			return err
		}
	}
	for _, c := range st.Campaigns {
		if c.Reason == "" || c.Since == nil {
			continue
		}
		if _, err := fmt.Fprintf(a.out, "Paused: %s since %s: %s\n", c.Name, clockOr(c.Since), output.Clean(c.Reason)); err != nil {
			return err
		}
	}
	for _, at := range st.Attention {
		if _, err := fmt.Fprintln(a.out, "Attention:", output.Clean(at.Message)); err != nil {
			return err
		}
	}
	return nil
}

func campaignRows(st *operator.Status) output.Rows {
	rows := output.Rows{
		Columns: []string{"campaign", "state", "jobs", "seats", "filled", "pending", "approved", "each", "time to fill", "committed", "cap", "next", "local"},
		Empty:   "no campaign is registered: `enqueue apply FILE` registers them",
	}
	for _, c := range st.Campaigns {
		seats, filled, pending := 0, 0, 0
		for _, j := range c.Jobs {
			seats, filled, pending = seats+j.Seats, filled+j.Filled, pending+j.Pending
		}
		committed, limit := "", ""
		if c.Budget != nil {
			committed, limit = c.Budget.Committed.String(), c.Budget.Cap.String()
		}
		rows.Cells = append(rows.Cells, []string{
			c.Name, string(c.State), fmt.Sprint(len(c.Jobs)), fmt.Sprint(seats), fmt.Sprint(filled), fmt.Sprint(pending),
			fmt.Sprint(c.Approved), dollars(c.CostPerApproved), c.TimeToFill, committed, limit, nextOf(c), localOf(c),
		})
	}
	return rows
}

// nextOf is when a campaign acts next, or else what it waits for.
func nextOf(c operator.CampaignStatus) string {
	if c.Next != nil || len(c.Waits) == 0 {
		return clockOr(c.Next)
	}
	text := c.Waits[0].For()
	if n := len(c.Waits) - 1; n > 0 {
		text = fmt.Sprintf("%s and %d more", text, n)
	}
	return text
}

func jobRows(jobs []operator.Job) output.Rows {
	rows := output.Rows{Columns: []string{"job", "item", "status", "seats", "filled", "pending", "approved", "time to fill"}}
	for _, j := range jobs {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(j.JobID), j.Item, string(j.Status), fmt.Sprint(j.Seats), fmt.Sprint(j.Filled), fmt.Sprint(j.Pending),
			fmt.Sprint(j.Approved), j.TimeToFill,
		})
	}
	return rows
}

func slotRows(slots []operator.Slot) output.Rows {
	rows := output.Rows{Columns: []string{"action", "slot", "local", "runs"}}
	for _, s := range slots {
		rows.Cells = append(rows.Cells, []string{s.Action, clock(s.Slot), inZone(s.Local, s.Slot), clock(s.Runs)})
	}
	return rows
}

// localOf is when a campaign acts next in its zone, where that is not UTC.
func localOf(c operator.CampaignStatus) string {
	if c.Next == nil || c.Local == nil {
		return ""
	}
	return inZone(*c.Local, *c.Next)
}
