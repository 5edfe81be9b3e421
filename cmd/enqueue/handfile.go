package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// A file by hand holds a part of a spec. It is put into a whole spec and read
// as one, so that it has the same keys, checks and messages.

const (
	jobHead    = "version: 1\ncampaigns:\n  - name: manual\n    job:\n"
	updateHead = "version: 1\ncampaigns:\n  - name: manual\n    adopt: [1]\n    actions:\n      - do: update\n        now: true\n        set:\n"
)

// readJob reads a file with the keys of a spec's job.
func readJob(path string) (campaigns.Job, error) {
	f, err := readPart(path, jobHead, "      ")
	if err != nil {
		return campaigns.Job{}, err
	}
	c := f.Campaigns[0]
	return c.Render(c.Items[0])
}

// readUpdate reads a file with the keys of an update's set.
func readUpdate(path string) (campaigns.Update, error) {
	f, err := readPart(path, updateHead, "          ")
	if err != nil {
		return campaigns.Update{}, err
	}
	return f.Campaigns[0].Actions[0].Set.Render(campaigns.Item{})
}

const maxPart = 1 << 20

// readPart reads the file at path as what comes after head, indented so. The
// places of faults are those in the file.
func readPart(path, head, indent string) (*campaigns.File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, &coded{exitUsage, err}
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxPart))
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(head)
	for line := range strings.Lines(string(data)) {
		b.WriteString(indent + line)
	}
	f, err := campaigns.Parse(path, []byte(b.String()), nil)
	var wrong campaigns.Errors
	if errors.As(err, &wrong) {
		for i := range wrong {
			wrong[i].Line = max(1, wrong[i].Line-strings.Count(head, "\n"))
			wrong[i].Column = max(1, wrong[i].Column-len(indent))
		}
		return nil, wrong
	}
	return f, err
}
