package api

import (
	"context"
	"fmt"
	"iter"
	"strconv"
)

// Application reads one application.
func (c *Client) Application(ctx context.Context, id int64) (Application, error) {
	if err := checkID(getApplication, "application", id); err != nil {
		return Application{}, err
	}
	var a Application
	err := c.call(ctx, getApplication, []string{decimal(id)}, nil, func(v any) (err error) {
		a, err = readOne(v, "application", func(a *Application) int64 { return a.ID }, id)
		return err
	})
	return a, err
}

// Applications reads one page of a job's applications; pages count from 1. The
// size of a page and the order are not documented; a page past the last is empty.
func (c *Client) Applications(
	ctx context.Context, job int64, status ApplicationStatus, page int,
) ([]Application, error) {
	if err := checkID(getApplications, "job", job); err != nil {
		return nil, err
	}
	if page < 1 || status < AnyStatus || status > NotCompleted {
		return nil, invalid(getApplications,
			"page %d of %s: pages count from 1, statuses are 1 to 5, or 0 for all", page, status)
	}
	filter := "all"
	if status != AnyStatus {
		filter = strconv.Itoa(int(status))
	}
	return pageOf(page, func(page int) (all []Application, err error) {
		args := []string{decimal(job), filter, strconv.Itoa(page)}
		err = c.call(ctx, getApplications, args, nil, func(v any) (err error) {
			all, err = readApplications(v, job)
			return err
		})
		return all, err
	})
}

// readApplications refuses a list about another job.
func readApplications(v any, job int64) ([]Application, error) {
	all, err := readRows[Application](v, "applications")
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.JobID != job {
			return nil, fmt.Errorf("application %d is of job %d", a.ID, a.JobID)
		}
	}
	return all, nil
}

// AllApplications reads page after page until one is empty or brings no new
// application, and yields each once. An error is yielded last. An application
// that moves to a page already read, as rating does to pending ones, can make
// others be missed: read to the end before rating, or read again after.
func (c *Client) AllApplications(
	ctx context.Context, job int64, status ApplicationStatus,
) iter.Seq2[Application, error] {
	fetch := func(page int) ([]Application, error) { return c.Applications(ctx, job, status, page) }
	return everyPage(getApplications, fetch, func(a Application) int64 { return a.ID })
}
