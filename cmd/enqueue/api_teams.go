package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

// teamsCommand lists teams, and has the commands that change them below it.
// Teams cost nothing, so these go straight to the marketplace.
func (a *app) teamsCommand() *cobra.Command {
	cmd := a.allFlag(&cobra.Command{
		Use: "teams", Short: "List the account's teams, or change one", Example: "  enqueue api teams", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				list, err := c.Teams(ctx)
				if err != nil {
					return err
				}
				return a.print(teamRows(list...), some(list))
			})
		},
	})
	cmd.AddCommand(
		a.createTeamCommand(), a.updateTeamCommand(), a.deleteTeamCommand(),
		a.membersCommand(), a.addMemberCommand(), a.deleteMemberCommand(),
	)
	return cmd
}

func teamRows(list ...api.Team) output.Rows {
	rows := output.Rows{Columns: []string{"id", "title", "created_at"}, Empty: "no teams"}
	for _, t := range list {
		rows.Cells = append(rows.Cells, []string{fmt.Sprint(t.ID), t.Title, clock(t.CreatedAt)})
	}
	return rows
}

func (a *app) createTeamCommand() *cobra.Command {
	return &cobra.Command{
		Use: "create TITLE", Short: "Make a team", Example: `  enqueue api teams create "Raters"`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				t, err := c.CreateTeam(ctx, args[0])
				if err != nil {
					return err
				}
				return a.print(teamRows(t), t)
			})
		},
	}
}

func (a *app) updateTeamCommand() *cobra.Command {
	return &cobra.Command{
		Use: "update ID TITLE", Short: "Give a team another title", Example: `  enqueue api teams update 12 "Senior raters"`, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("the id of a team", args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				t, err := c.UpdateTeam(ctx, id, args[1])
				if err != nil {
					return err
				}
				return a.print(teamRows(t), t)
			})
		},
	}
}

func (a *app) deleteTeamCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete ID", Short: "Delete a team, and check that it is gone", Example: "  enqueue api teams delete 12", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("the id of a team", args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
				if err := c.DeleteTeam(ctx, id); err != nil {
					return err
				}
				list, err := c.Teams(ctx)
				if err != nil {
					return err
				}
				for _, t := range list {
					if t.ID == id {
						return fmt.Errorf("the marketplace says that team %d was deleted, and still lists it", id)
					}
				}
				return a.print(teamRows(list...), some(list))
			})
		},
	}
}

func (a *app) membersCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use: "members ID", Short: "List the workers of a team", Example: "  enqueue api teams members 12", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("the id of a team", args[0])
			if err != nil {
				return err
			}
			return a.ask(cmd, func(ctx context.Context, c *api.Client) error { return a.showMembers(ctx, c, id) })
		},
	})
}

func (a *app) showMembers(ctx context.Context, c *api.Client, team int64) error {
	list, err := c.TeamMembers(ctx, team)
	if err != nil {
		return err
	}
	rows := output.Rows{Columns: []string{"worker_id", "note", "created_at"}, Empty: "no members"}
	for _, m := range list {
		rows.Cells = append(rows.Cells, []string{fmt.Sprint(m.WorkerID), m.Note, clock(m.CreatedAt)})
	}
	return a.print(rows, some(list))
}

func (a *app) addMemberCommand() *cobra.Command {
	return a.memberCommand(&cobra.Command{
		Use: "add-member TEAM USER NOTE", Short: "Add a worker to a team", Args: cobra.ExactArgs(3),
		Example: `  enqueue api teams add-member 12 153456789 "Native speaker"`,
	}, func(ctx context.Context, c *api.Client, team, user int64, args []string) error {
		return c.AddTeamMember(ctx, team, user, args[2])
	})
}

func (a *app) deleteMemberCommand() *cobra.Command {
	return a.memberCommand(&cobra.Command{
		Use: "delete-member TEAM USER", Short: "Take a worker out of a team", Args: cobra.ExactArgs(2),
		Example: "  enqueue api teams delete-member 12 153456789",
	}, func(ctx context.Context, c *api.Client, team, user int64, _ []string) error {
		return c.DeleteTeamMember(ctx, team, user)
	})
}

// memberCommand runs a change of one member and shows the team after it.
func (a *app) memberCommand(cmd *cobra.Command, do func(ctx context.Context, c *api.Client, team, user int64, args []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		team, err := number("the id of a team", args[0])
		if err != nil {
			return err
		}
		user, err := number("the id of a worker", args[1])
		if err != nil {
			return err
		}
		return a.ask(cmd, func(ctx context.Context, c *api.Client) error {
			if err := do(ctx, c, team, user, args); err != nil {
				return err
			}
			return a.showMembers(ctx, c, team)
		})
	}
	return cmd
}
