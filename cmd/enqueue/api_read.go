package main

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// ask runs a command that only reads the marketplace.
func (a *app) ask(cmd *cobra.Command, do func(ctx context.Context, c *api.Client) error) error {
	return a.with(cmd.Context(), need{key: true, alone: true}, func(s *session) error { return do(cmd.Context(), s.client) })
}

func (a *app) meCommand() *cobra.Command {
	return &cobra.Command{
		Use: "me", Short: "Show the account of the key", Example: "  enqueue api me", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				me, err := c.Me(ctx)
				if err != nil {
					return err
				}
				return a.print(output.Rows{
					Columns: []string{"id", "fullname", "email", "current_balance", "callback_url"},
					Cells:   [][]string{{fmt.Sprint(me.ID), me.FullName, me.Email, me.Balance.String(), me.CallbackURL}},
				}, me)
			})
		},
	}
}

func (a *app) countriesCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use: "countries", Short: "List the countries that jobs can be limited to", Example: "  enqueue api countries", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				list, err := c.Countries(ctx)
				if err != nil {
					return err
				}
				rows := output.Rows{Columns: []string{"country_id", "code", "name", "continent"}}
				for _, r := range list {
					rows.Cells = append(rows.Cells, []string{fmt.Sprint(r.ID), r.Code, r.Name, r.Continent})
				}
				return a.print(rows, some(list))
			})
		},
	})
}

func (a *app) categoriesCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use: "categories", Short: "List the categories, each before those below it", Example: "  enqueue api categories", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				list, err := c.Categories(ctx)
				if err != nil {
					return err
				}
				rows := output.Rows{Columns: []string{"id", "slug", "title", "cost", "below"}}
				for _, r := range list {
					rows.Cells = append(rows.Cells, []string{fmt.Sprint(r.ID), r.Slug, r.Title, r.MinPrice.String(), strings.Join(r.Path, " / ")})
				}
				return a.print(rows, some(list))
			})
		},
	})
}

// some is a list that JSON writes as [] where it has no rows.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

var jobFilters = map[string]api.JobFilter{
	"all": api.JobsAll, "online": api.JobsOnline, "1": api.JobsOnline, "finished": api.JobsFinished, "3": api.JobsFinished,
}

func (a *app) jobsCommand() *cobra.Command {
	status := "all"
	cmd := &cobra.Command{
		Use: "jobs", Short: "List the account's jobs", Example: "  enqueue api jobs --status online", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, ok := jobFilters[status]
			if !ok {
				return usage("--status %q is none of all, online and finished", status)
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				jobs, err := gather(c.AllJobs(ctx, filter))
				if err != nil {
					return err
				}
				return a.print(apiJobRows(jobs), some(jobs))
			})
		},
	}
	cmd.Flags().StringVar(&status, "status", "all", "all, online or finished")
	return a.allFlag(cmd)
}

// gather reads a list to its end.
func gather[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

func apiJobRows(jobs []api.Job) output.Rows {
	rows := output.Rows{Columns: []string{"id", "title", "status", "availseats", "total_app", "price", "category", "country"}}
	for _, j := range jobs {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(j.ID), j.Title, j.Status.String(), fmt.Sprint(j.Seats), fmt.Sprint(j.Applications), j.Price.String(),
			fmt.Sprint(j.Category), j.Country,
		})
	}
	return rows
}

func (a *app) jobCommand() *cobra.Command {
	return &cobra.Command{
		Use: "job ID", Short: "Show one job", Example: "  enqueue api job 15341 -o yaml", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("the id of a job", args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				job, err := c.Job(ctx, id)
				if err != nil {
					return err
				}
				return a.print(apiJobRows([]api.Job{job}), job)
			})
		},
	}
}

var applicationFilters = map[string]api.ApplicationStatus{
	"all": api.AnyStatus, "declined": api.Declined, "1": api.Declined, "reported": api.Reported, "2": api.Reported,
	"approved": api.Approved, "3": api.Approved, "pending": api.Pending, "4": api.Pending,
	"not-completed": api.NotCompleted, "5": api.NotCompleted,
}

func (a *app) applicationsCommand() *cobra.Command {
	status := "all"
	cmd := &cobra.Command{
		Use: "applications JOB", Short: "List a job's applications", Example: "  enqueue api applications 15341 --status pending",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, ok := applicationFilters[status]
			if !ok {
				return usage("--status %q is none of all, pending, approved, declined, reported and not-completed", status)
			}
			id, err := number("the id of a job", args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				list, err := gather(c.AllApplications(ctx, id, filter))
				if err != nil {
					return err
				}
				return a.print(apiApplicationRows(list), some(list))
			})
		},
	}
	cmd.Flags().StringVar(&status, "status", "all", "all, pending, approved, declined, reported or not-completed")
	return a.allFlag(cmd)
}

func apiApplicationRows(list []api.Application) output.Rows {
	rows := output.Rows{Columns: []string{"id", "jobid", "user_id", "status", "appdate", "proof", "screenshots"}}
	for _, p := range list {
		rows.Cells = append(rows.Cells, []string{
			fmt.Sprint(p.ID), fmt.Sprint(p.JobID), fmt.Sprint(p.UserID), p.Status.String(), clock(p.AppliedAt), p.Proof,
			fmt.Sprint(len(p.Screenshots)),
		})
	}
	return rows
}

func (a *app) applicationCommand() *cobra.Command {
	return &cobra.Command{
		Use: "application ID", Short: "Show one application", Example: "  enqueue api application 152 -o json", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("the id of an application", args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				p, err := c.Application(ctx, id)
				if err != nil {
					return err
				}
				return a.print(apiApplicationRows([]api.Application{p}), p)
			})
		},
	}
}
