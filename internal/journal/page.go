package journal

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// BeginPage is Begin for calls that move no money, a page of them in one script:
// each gets its own answer. Of a Start only Op and Nonce count.
func (j *Journal) BeginPage(ctx context.Context, now, deadline time.Time, starts []Start) ([]Passage, error) {
	args := make([]any, 0, pageHead+3*len(starts))
	args = append(args, "", "", "", millis(now), millis(deadline), len(starts))
	for _, s := range starts {
		if class(s.Op.Kind) != "" {
			return nil, fmt.Errorf("journal: operation %s moves money, and begins alone", s.Op.ID)
		}
		event := Event{At: now.UnixMilli(), State: planner.Sending, Attempt: s.Op.Attempts + 1}
		args = append(args, s.Op.ID, s.Nonce, event.text())
	}
	out, err := j.run(ctx, scriptBeginPage, args...)
	if err != nil {
		return nil, err
	}
	passages := make([]Passage, len(starts))
	for i := range passages {
		if Gate(out[0]) == Lost {
			passages[i] = Passage{Gate: Lost, Detail: out[1:]}
			continue
		}
		row := out[1+3*i : 4+3*i]
		p := Passage{Gate: Gate(row[0]), Detail: row[1:]}
		if p.Gate == Through {
			if p.Attempt, err = strconv.Atoi(row[1]); err != nil {
				return nil, fmt.Errorf("journal: attempt: %w", err)
			}
			if p.Seq, err = strconv.ParseInt(row[2], 10, 64); err != nil {
				return nil, fmt.Errorf("journal: sequence number: %w", err)
			}
		}
		passages[i] = p
	}
	return passages, nil
}

// scriptBeginPage is signed as begin is, in the first of its arguments.
const (
	scriptBeginPage = "beginpage"
	pageHead        = 6
)

// SettlePage is Settle for a page of ratings that were done, in one script. It
// tells which of them it wrote; the others are for Settle, which says why.
func (j *Journal) SettlePage(ctx context.Context, now time.Time, list []Settlement) ([]bool, error) {
	args := make([]any, 0, 2+7*len(list))
	args = append(args, millis(now), len(list))
	for i := range list {
		s := &list[i]
		job := ""
		if s.JobID != 0 {
			job = jobText(s.JobID)
		}
		application, status := s.Op.rated()
		args = append(args, s.Op.ID, s.Nonce, s.Stamp, s.event(nil).text(), job, application, status)
	}
	out, err := j.run(ctx, "settlepage", args...)
	if err != nil {
		return nil, err
	}
	written := make([]bool, len(list))
	for i := range written {
		written[i] = out[1+i] == "ok"
	}
	return written, nil
}
