package api

import (
	"context"
	"time"
)

// JobChange is what an update changes; nil fields stay as they are. Price,
// seats, audience and category cannot be changed.
type JobChange struct {
	Title *string
	// Minutes is the estimated time for one seat.
	Minutes *int
	Limit   *JobLimit
	Steps   []string
	Proof   []Proof
	// RestartEvery lets the same workers in again after this long, in whole
	// seconds from a minute to 360 days; zero disables it.
	RestartEvery *time.Duration
}

// The bounds of JobChange.RestartEvery.
const (
	MinRestartEvery = time.Minute
	MaxRestartEvery = 360 * 24 * time.Hour
)

type changeBody struct {
	Title           *string   `json:"title,omitempty"`
	Minutes         *int      `json:"time,omitempty"`
	Limit           *JobLimit `json:"job_limit,omitempty"`
	Steps           []string  `json:"expected,omitempty"`
	Proof           []Proof   `json:"proof,omitempty"`
	RestartSchedule *int64    `json:"restart_schedule,omitempty"`
}

func (ch JobChange) body() changeBody {
	b := changeBody{Title: ch.Title, Minutes: ch.Minutes, Limit: ch.Limit, Steps: ch.Steps, Proof: ch.Proof}
	if ch.RestartEvery != nil {
		seconds := int64(*ch.RestartEvery / time.Second)
		if seconds == 0 {
			seconds = -1
		}
		b.RestartSchedule = &seconds
	}
	return b
}

func (ch JobChange) check() error {
	switch {
	case ch.Title == nil && ch.Minutes == nil && ch.Limit == nil && len(ch.Steps) == 0 &&
		len(ch.Proof) == 0 && ch.RestartEvery == nil:
		return invalid(updateJob, "the update changes nothing")
	case ch.Title != nil && *ch.Title == "":
		return invalid(updateJob, "the title must not be empty")
	case ch.Minutes != nil && *ch.Minutes < 1:
		return invalid(updateJob, "%d minutes must be 1 or more", *ch.Minutes)
	case ch.RestartEvery != nil && !validRestart(*ch.RestartEvery):
		return invalid(updateJob,
			"restart every %s must be 0, or whole seconds from 1m to 360 days", *ch.RestartEvery)
	}
	return ch.Limit.check(updateJob)
}

func validRestart(d time.Duration) bool {
	return d == 0 || d >= MinRestartEvery && d <= MaxRestartEvery && d%time.Second == 0
}

// UpdateJob changes a job. It costs nothing, and is safe to repeat.
func (c *Client) UpdateJob(ctx context.Context, id int64, ch JobChange) error {
	if err := checkID(updateJob, "job", id); err != nil {
		return err
	}
	if err := ch.check(); err != nil {
		return err
	}
	return c.call(ctx, updateJob, []string{decimal(id)}, ch.body(), func(v any) error {
		return readDone(v, "job_id", id)
	})
}
