package campaigns

// Verdict is what a rule says of an application.
type Verdict string

// The verdicts.
const (
	Approve Verdict = "approve"
	Decline Verdict = "decline"
	Redo    Verdict = "redo"
	Leave   Verdict = "leave"
)

// Rule is one line of a rating: a condition and what follows.
type Rule struct {
	// When is an expression over the application that yields a boolean.
	When    string  `json:"when"`
	Verdict Verdict `json:"verdict"`
	// Reason is told to the worker; required for decline and redo. It may hold
	// a template, which RenderReason fills.
	Reason string `json:"reason,omitempty"`
}
