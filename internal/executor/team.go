package executor

import (
	"context"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// prepareTeam makes a team and its members what the spec says. Each step is
// taken only where a read shows it missing, so it may be repeated.
func prepareTeam(_ context.Context, e *Executor, op *journal.Op, _ *journal.Spec) (*call, error) {
	if op.Team == nil {
		return nil, reject("the operation holds no team")
	}
	return &call{send: func(ctx context.Context) (effect, error) {
		return effect{}, e.syncTeam(ctx, *op.Team)
	}}, nil
}

func (e *Executor) syncTeam(ctx context.Context, want campaigns.Team) error {
	team, err := e.findTeam(ctx, want.Name)
	if err != nil {
		return err
	}
	if team == nil {
		made, err := e.Market.CreateTeam(ctx, want.Name)
		if err != nil {
			return err
		}
		team = &made
		e.dir.forgetTeams()
	}
	return e.syncMembers(ctx, team.ID, want.Members)
}

func (e *Executor) findTeam(ctx context.Context, name string) (*api.Team, error) {
	teams, err := e.Market.Teams(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		if t.Title == name {
			return &t, nil
		}
	}
	return nil, nil
}

// syncMembers adds who is missing and removes who is too many.
func (e *Executor) syncMembers(ctx context.Context, team int64, want []campaigns.TeamMember) error {
	have, err := e.Market.TeamMembers(ctx, team)
	if err != nil {
		return err
	}
	present := map[int64]bool{}
	for _, m := range have {
		present[m.WorkerID] = true
	}
	wanted := map[int64]bool{}
	for _, m := range want {
		wanted[m.User] = true
		if present[m.User] {
			continue
		}
		if err := e.step(ctx, func(ctx context.Context) error { return e.Market.AddTeamMember(ctx, team, m.User, m.Note) }); err != nil {
			return err
		}
	}
	for user := range present {
		if wanted[user] {
			continue
		}
		if err := e.step(ctx, func(ctx context.Context) error { return e.Market.DeleteTeamMember(ctx, team, user) }); err != nil {
			return err
		}
	}
	return nil
}

// step makes one more request of an operation that has several.
func (e *Executor) step(ctx context.Context, do func(context.Context) error) error {
	if err := e.Wait(ctx); err != nil {
		return err
	}
	return do(api.SendBefore(api.WithPermit(ctx), e.Now().Add(e.SendWithin)))
}

// verifyTeam reads the team and its members.
func verifyTeam(ctx context.Context, e *Executor, op *journal.Op, _ evidence) (verdict, error) {
	team, err := e.findTeam(ctx, op.Team.Name)
	if err != nil {
		return verdict{}, err
	}
	if team == nil {
		return verdict{finding: notDone, why: "there is no such team"}, nil
	}
	have, err := e.Market.TeamMembers(ctx, team.ID)
	if err != nil {
		return verdict{}, err
	}
	present := map[int64]bool{}
	for _, m := range have {
		present[m.WorkerID] = true
	}
	for _, m := range op.Team.Members {
		if !present[m.User] {
			return verdict{finding: notDone, why: "a member is missing"}, nil
		}
	}
	if len(present) != len(op.Team.Members) {
		return verdict{finding: notDone, why: "the team has other members"}, nil
	}
	return verdict{finding: done, why: "the team is as wanted"}, nil
}
