package executor

import (
	"context"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// prepareRestart notes when the job was started and updated last.
func prepareRestart(ctx context.Context, e *Executor, op *journal.Op, _ *journal.Spec) (*call, error) {
	job, err := e.ownJob(ctx, op)
	if err != nil {
		return nil, err
	}
	if job.Status == api.JobFinished {
		return nil, skip("job %d is finished: a restart would let nobody in", op.JobID)
	}
	return &call{
		evidence: &evidence{Job: shoot(job)},
		send: func(ctx context.Context) (effect, error) {
			return effect{jobID: op.JobID}, e.Market.RestartJob(ctx, op.JobID)
		},
	}, nil
}

// verifyRestart takes a later start for the restart; without one it is repeated,
// which lets the same workers in and does nothing else.
func verifyRestart(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error) {
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return verdict{}, err
	}
	if ev.Job != nil && unixOf(job.Started) > ev.Job.Started {
		return verdict{finding: done, shot: shoot(job), why: "the job was started since", eff: effect{jobID: op.JobID}}, nil
	}
	return verdict{finding: notDone, shot: shoot(job), why: "the job was not started since"}, nil
}
