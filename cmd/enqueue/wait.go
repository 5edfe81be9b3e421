package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

const (
	// lookEvery is how often work is looked at, and leadEvery how often it is
	// asked whether a runner does it.
	lookEvery = 200 * time.Millisecond
	leadEvery = 5 * time.Second
)

// wait shows progress until the work is settled. Interrupted, it loses nothing.
func (a *app) wait(ctx context.Context, s *session, w operator.Work) (operator.Progress, error) {
	bars := output.NewProgress(a.err, output.IsTerminal(a.err), a.now)
	defer bars.Close()
	tracker := s.Track(w)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var asked time.Time
	missing := false
	for {
		p, err := tracker.Look(ctx)
		if ctx.Err() != nil {
			return p, interrupted()
		}
		if err != nil {
			return p, err
		}
		show(bars, p)
		if p.Settled() {
			return p, nil
		}
		if now := a.now(); !missing && now.Sub(asked) >= leadEvery {
			asked = now
			if missing, err = a.noRunner(ctx, s, bars); err != nil {
				return p, err
			}
		}
		select {
		case <-ctx.Done():
			return p, interrupted()
		case <-ticker.C:
		}
	}
}

func interrupted() error {
	return &coded{exitFailed, fmt.Errorf("interrupted: the work goes on, `enqueue status` tells how far it is")}
}

// noRunner says so where no runner is at work.
func (a *app) noRunner(ctx context.Context, s *session, bars *output.Progress) (bool, error) {
	led, err := s.Led(ctx)
	if err != nil || led {
		return false, err
	}
	_, err = fmt.Fprintln(bars, "no runner is at work: start `runner serve`; this waits for it")
	return true, err
}

func show(bars *output.Progress, p operator.Progress) {
	for _, kind := range slices.Sorted(maps.Keys(p.Kinds)) {
		c := p.Kinds[kind]
		note := ""
		if kind == planner.Create && p.Cost > 0 {
			note = p.Cost.String() + " USD so far"
		}
		bars.Set(string(kind), c.Settled, c.Total, note)
	}
}

// outcome is the result of an apply.
type outcome struct {
	Campaigns  int                   `json:"campaigns"`
	Operations map[planner.State]int `json:"operations"`
	Cost       string                `json:"cost"`
}

// told is progress as a result: the states that say how it ended are always there.
func told(campaigns int, p operator.Progress) outcome {
	out := outcome{Campaigns: campaigns, Operations: map[planner.State]int{}, Cost: p.Cost.String()}
	for _, s := range []planner.State{planner.Applied, planner.Rejected, planner.Parked, planner.Skipped} {
		out.Operations[s] = 0
	}
	for s, n := range p.States {
		if n > 0 {
			out.Operations[s] = n
		}
	}
	return out
}

func (o outcome) rows() output.Rows {
	rows := output.Rows{Columns: []string{"state", "operations"}}
	for _, s := range planner.States() {
		if n, found := o.Operations[s]; found && n > 0 {
			rows.Cells = append(rows.Cells, []string{string(s), fmt.Sprint(n)})
		}
	}
	return rows
}

// wanting is exit code 4 where something was not done.
func wanting(p operator.Progress) error {
	if !p.Wanting() {
		return nil
	}
	return &coded{exitWanting, fmt.Errorf("finished, but %d operations were rejected, %d skipped and %d parked: see `enqueue ops`",
		p.States[planner.Rejected], p.States[planner.Skipped], p.States[planner.Parked])}
}
