package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/screenshots"
)

// exportAnswers writes applications, or the results of a campaign, as they are
// read, and keeps the screenshots where a directory is given.
func (a *app) exportAnswers(ctx context.Context, s *session, what string, flags *exportFlags, format output.Format) (err error) {
	columns, answers, err := answersOf(ctx, s, what, flags)
	if err != nil {
		return err
	}
	progress := output.NewProgress(a.err, output.IsTerminal(a.err) && !output.IsTerminal(a.out), a.now)
	defer progress.Close()
	pictures, err := a.openPictures(s, flags.screenshots, progress)
	if err != nil {
		return err
	}
	defer pictures.close()
	stream, err := output.New(a.out, format, false).Stream(columns)
	if err != nil {
		return err
	}
	done := 0
	for answer, err := range answers {
		if err == nil {
			err = pictures.keep(ctx, answer.app)
		}
		if err == nil {
			err = stream.Row(answer.cells, answer.value)
		}
		if err != nil {
			_ = stream.Flush() // what came before the error is the user's
			return err
		}
		done++
		// Rows that are read on the terminal are progress enough.
		if !output.IsTerminal(a.out) {
			progress.Set("answers", done, done+1, "")
		}
	}
	if !output.IsTerminal(a.out) {
		progress.Set("answers", done, done, "")
	}
	if err := stream.Close(); err != nil {
		return err
	}
	progress.Close()
	return pictures.verdict()
}

// answer is an application as it is written.
type answer struct {
	app   operator.Application
	cells []string
	value any
}

// answersOf names the columns of what is asked for and reads it bit by bit.
func answersOf(ctx context.Context, s *session, what string, flags *exportFlags) ([]string, iter.Seq2[answer, error], error) {
	heads := []string{"application_id", "job_id", "campaign", "item", "worker", "status", "reason", "applied_at", "proof", "screenshots"}
	if flags.emails {
		heads = append(heads, "email")
	}
	if what == "applications" {
		return heads, func(yield func(answer, error) bool) {
			for app, err := range s.Applications(ctx, flags.campaign, flags.emails) {
				if !yield(answer{app, applicationCells(app, flags.emails), app}, err) {
					return
				}
			}
		}, nil
	}
	columns, results, err := s.Results(ctx, flags.campaign, flags.emails, flags.screenshots != "")
	if err != nil {
		return nil, nil, err
	}
	return withItems(heads, columns), func(yield func(answer, error) bool) {
		for r, err := range results {
			cells := applicationCells(r.Application, flags.emails)
			for _, name := range columns {
				cells = append(cells, r.Columns[name])
			}
			if !yield(answer{r.Application, cells, r}, err) {
				return
			}
		}
	}, nil
}

// withItems puts the columns of the items behind those of every answer. One
// that has the name of another column is told apart by "item.".
func withItems(heads, columns []string) []string {
	all := slices.Clone(heads)
	for _, name := range columns {
		if slices.Contains(heads, name) {
			name = "item." + name
		}
		all = append(all, name)
	}
	return all
}

func applicationCells(p operator.Application, emails bool) []string {
	cells := []string{
		fmt.Sprint(p.ApplicationID), fmt.Sprint(p.JobID), p.Campaign, p.Item, fmt.Sprint(p.Worker), p.Status, p.Reason,
		clock(p.AppliedAt), p.Proof, strings.Join(p.Screenshots, " "),
	}
	if emails {
		cells = append(cells, p.Email)
	}
	return cells
}

// pictures keeps the screenshots of answers; without a directory it does nothing.
type pictures struct {
	fetch        *screenshots.Fetcher
	progress     *output.Progress
	kept, failed int
}

func (a *app) openPictures(s *session, dir string, progress *output.Progress) (*pictures, error) {
	p := &pictures{progress: progress}
	if dir == "" {
		return p, nil
	}
	var err error
	p.fetch, err = screenshots.New(screenshots.Config{APIURL: a.set.APIURL, Dir: dir, Wait: s.wait, Timeout: a.set.APITimeout})
	return p, err
}

func (p *pictures) close() {
	if p.fetch != nil {
		p.fetch.Close()
	}
}

// keep fetches the pictures of an answer. Each that cannot be had is told and
// counted; only the end of the command is an error.
func (p *pictures) keep(ctx context.Context, app operator.Application) error {
	if p.fetch == nil {
		return nil
	}
	for i, address := range app.Screenshots {
		_, _, err := p.fetch.Fetch(ctx, app.ApplicationID, i+1, address)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.failed++
			fmt.Fprintln(p.progress, output.Clean(fmt.Sprintf("application %d, screenshot %d: %v", app.ApplicationID, i+1, err)))
			continue
		}
		p.kept++
	}
	return nil
}

// verdict tells how many were kept, and is an error where one was not.
func (p *pictures) verdict() error {
	if p.fetch == nil {
		return nil
	}
	fmt.Fprintf(p.progress, "screenshots kept: %d\n", p.kept)
	if p.failed > 0 {
		return &coded{exitWanting, fmt.Errorf("%d screenshots could not be kept; run it again to try those alone", p.failed)}
	}
	return nil
}
