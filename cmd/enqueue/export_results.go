package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/screenshots"
)

// exportResults writes the approved answers of a campaign, and keeps their
// screenshots where a directory is given.
func (a *app) exportResults(ctx context.Context, s *session, flags *exportFlags, format output.Format) error {
	columns, answers, err := s.Results(ctx, flags.campaign, flags.emails, flags.screenshots != "")
	if err != nil {
		return err
	}
	progress := output.NewProgress(a.err, output.IsTerminal(a.err), a.now)
	results := []operator.Result{}
	for r, err := range answers {
		if err != nil {
			progress.Close()
			return err
		}
		results = append(results, r)
		progress.Set("answers read", len(results), len(results)+1, "")
	}
	progress.Set("answers read", len(results), len(results), "")
	failed, err := a.keepScreenshots(ctx, s, flags.screenshots, results, progress)
	progress.Close()
	if err != nil {
		return err
	}
	if err := output.New(a.out, format, false).Print(resultRows(results, columns, flags.emails), results); err != nil {
		return err
	}
	if failed > 0 {
		return &coded{exitWanting, fmt.Errorf("%d screenshots could not be kept; run it again to try those alone", failed)}
	}
	return nil
}

// keepScreenshots fetches the pictures of all results and returns how many
// could not be had, each of which is told.
func (a *app) keepScreenshots(ctx context.Context, s *session, dir string, results []operator.Result, progress *output.Progress) (int, error) {
	if dir == "" {
		return 0, nil
	}
	fetch, err := screenshots.New(screenshots.Config{APIURL: a.set.APIURL, Dir: dir, Wait: s.wait, Timeout: a.set.APITimeout})
	if err != nil {
		return 0, err
	}
	defer fetch.Close()
	total, done, failed := 0, 0, 0
	for _, r := range results {
		total += len(r.Screenshots)
	}
	for _, r := range results {
		for i, address := range r.Screenshots {
			_, _, err := fetch.Fetch(ctx, r.ApplicationID, i+1, address)
			if ctx.Err() != nil {
				return failed, ctx.Err()
			}
			if err != nil {
				failed++
				fmt.Fprintln(progress, output.Clean(fmt.Sprintf("application %d, screenshot %d: %v", r.ApplicationID, i+1, err)))
			}
			done++
			progress.Set("screenshots", done, total, "")
		}
	}
	return failed, nil
}

// resultRows puts the columns of the items behind those of every answer. One
// that has the name of another column is told apart by "item.".
func resultRows(results []operator.Result, columns []string, emails bool) output.Rows {
	apps := make([]operator.Application, len(results))
	for i, r := range results {
		apps[i] = r.Application
	}
	rows := applicationRows(apps, emails)
	own := slices.Clone(rows.Columns)
	for _, name := range columns {
		head := name
		if slices.Contains(own, name) {
			head = "item." + name
		}
		rows.Columns = append(rows.Columns, head)
	}
	for i := range rows.Cells {
		for _, name := range columns {
			rows.Cells[i] = append(rows.Cells[i], results[i].Columns[name])
		}
	}
	return rows
}
