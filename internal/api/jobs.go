package api

import (
	"context"
	"iter"
	"strconv"
)

// JobFilter chooses jobs of a list.
type JobFilter string

// The filters that the marketplace has.
const (
	JobsAll      JobFilter = "all"
	JobsOnline   JobFilter = "1"
	JobsFinished JobFilter = "3"
)

// Job reads one job of the account.
func (c *Client) Job(ctx context.Context, id int64) (Job, error) {
	if err := checkID(getJob, "job", id); err != nil {
		return Job{}, err
	}
	var job Job
	err := c.call(ctx, getJob, []string{decimal(id)}, nil, func(v any) (err error) {
		job, err = readOne(v, "job", func(j *Job) int64 { return j.ID }, id)
		return err
	})
	return job, err
}

// Jobs reads one page of the account's jobs; pages count from 1. The size of a
// page and the order are not documented; a page past the last is empty.
func (c *Client) Jobs(ctx context.Context, filter JobFilter, page int) ([]Job, error) {
	switch filter {
	case JobsAll, JobsOnline, JobsFinished:
	default:
		return nil, invalid(getJobs, "filter %q must be all, 1 or 3", filter)
	}
	if page < 1 {
		return nil, invalid(getJobs, "page %d must be 1 or more", page)
	}
	return pageOf(page, func(page int) (jobs []Job, err error) {
		err = c.call(ctx, getJobs, []string{string(filter), strconv.Itoa(page)}, nil, func(v any) (err error) {
			jobs, err = readRows[Job](v, "jobs")
			return err
		})
		return jobs, err
	})
}

// AllJobs reads page after page until one is empty or brings no new job, and
// yields each job once. An error is yielded last. A job that moves to a page
// already read while others are being read can be missed.
func (c *Client) AllJobs(ctx context.Context, filter JobFilter) iter.Seq2[Job, error] {
	fetch := func(page int) ([]Job, error) { return c.Jobs(ctx, filter, page) }
	return everyPage(getJobs, fetch, func(j Job) int64 { return j.ID })
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func checkID(e endpoint, what string, id int64) error {
	if id < 1 {
		return invalid(e, "%s id %d must be 1 or more", what, id)
	}
	return nil
}
