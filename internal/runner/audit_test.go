package runner

import (
	"testing"
	"time"
)

func TestTheAuditsTurns(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	half := func(d time.Duration) time.Duration { return d / 2 }
	for name, c := range map[string]struct {
		// at are minutes after the start, and those with true are wanted soon.
		at   []float64
		want map[int]bool
		due  []bool
	}{
		"the first a few minutes after the start, then hourly": {
			at:  []float64{0, 3, 4.4, 4.5, 5, 64, 64.5, 65},
			due: []bool{false, false, false, true, false, false, true, false},
		},
		"one that is wanted comes at once": {
			at: []float64{0, 0.5, 1}, want: map[int]bool{1: true},
			due: []bool{false, true, false},
		},
		"those that are wanted lie apart": {
			at: []float64{0, 0.5, 1, 2.4, 2.5, 3}, want: map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true},
			due: []bool{false, true, false, false, true, false},
		},
		"one that was wanted stands for the turn": {
			at: []float64{0, 4, 4.5, 63.9, 64}, want: map[int]bool{1: true},
			due: []bool{false, true, false, false, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rota{jitter: half}
			for i, m := range c.at {
				if got := r.due(start.Add(time.Duration(m*float64(time.Minute))), c.want[i]); got != c.due[i] {
					t.Errorf("after %v minutes due is %v, want %v", m, got, c.due[i])
				}
			}
		})
	}
}
