package campaigns

import "github.com/campaign-runner/campaign-runner/campaigns/money"

// Budget is a cap on what may be committed within a window.
type Budget struct {
	// Cap is the most that is ever committed in one window, in USD.
	Cap money.USD `json:"cap"`
	// PauseAt is the amount at which jobs are paused, in USD; 0 means never.
	// A percentage of the spec has been turned into an amount.
	PauseAt money.USD `json:"pause_at,omitempty"`
	// Per is the window: total (default), month, week (from Monday) or day.
	Per Window `json:"per"`
	// Measure is what PauseAt compares with: committed (default) or consumed.
	Measure Measure `json:"measure"`
	// Resume is what opens the latch again: manual (default) or window.
	Resume ResumePolicy `json:"resume"`
	// Timezone is where its windows begin and end.
	Timezone string `json:"timezone"`
}

// Window is the period of a budget.
type Window string

// The windows of a budget.
const (
	PerTotal Window = "total"
	PerMonth Window = "month"
	PerWeek  Window = "week"
	PerDay   Window = "day"
)

// Measure is what a budget's threshold compares with.
type Measure string

// The measures of a budget.
const (
	MeasureCommitted Measure = "committed"
	MeasureConsumed  Measure = "consumed"
)

// ResumePolicy is what opens a budget's latch again.
type ResumePolicy string

// The resume policies of a budget.
const (
	ResumeManual ResumePolicy = "manual"
	ResumeWindow ResumePolicy = "window"
)
