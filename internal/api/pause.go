package api

import "context"

// PauseJob finishes a job; the marketplace pays back what its seats have not
// used, and does not say how much.
func (c *Client) PauseJob(ctx context.Context, id int64) error {
	return c.bare(ctx, pauseJob, id)
}

// RestartJob forgets who has done the job, so that the same workers can do it
// again.
func (c *Client) RestartJob(ctx context.Context, id int64) error {
	return c.bare(ctx, restartJob, id)
}

// bare makes a call on a job that has no body.
func (c *Client) bare(ctx context.Context, e endpoint, id int64) error {
	if err := checkID(e, "job", id); err != nil {
		return err
	}
	return c.call(ctx, e, []string{decimal(id)}, nil, func(v any) error {
		return readDone(v, "job_id", id)
	})
}
