package executor

import (
	"context"
	"iter"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

// Marketplace is what the executor asks of the marketplace. api.Client
// documents each method and the effect that its errors tell.
type Marketplace interface {
	Me(ctx context.Context) (api.Account, error)
	Job(ctx context.Context, id int64) (api.Job, error)
	AllJobs(ctx context.Context, filter api.JobFilter) iter.Seq2[api.Job, error]
	Countries(ctx context.Context) ([]api.Country, error)
	Categories(ctx context.Context) ([]api.Category, error)
	Quote(ctx context.Context, job api.NewJob) (api.Quote, error)
	CreateJob(ctx context.Context, job api.NewJob) (api.Receipt, error)
	UpdateJob(ctx context.Context, id int64, change api.JobChange) error
	AddSeats(ctx context.Context, id int64, seats int) (api.Receipt, error)
	PauseJob(ctx context.Context, id int64) error
	ResumeJob(ctx context.Context, id int64, r api.ResumeRequest) (api.Receipt, error)
	RestartJob(ctx context.Context, id int64) error
	Application(ctx context.Context, id int64) (api.Application, error)
	AllApplications(ctx context.Context, job int64, status api.ApplicationStatus) iter.Seq2[api.Application, error]
	Rate(ctx context.Context, id int64, r api.Rating) error
	Teams(ctx context.Context) ([]api.Team, error)
	CreateTeam(ctx context.Context, title string) (api.Team, error)
	TeamMembers(ctx context.Context, team int64) ([]api.TeamMember, error)
	AddTeamMember(ctx context.Context, team, user int64, note string) error
	DeleteTeamMember(ctx context.Context, team, user int64) error
}
