package campaigns

import (
	"fmt"
	"strings"
)

// Issue is one fault at one place of a spec.
type Issue struct {
	// File is the path as it was given.
	File string `json:"file"`
	// Line and Column count from 1; 0 means the file as a whole.
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// String is "file:line:column: message".
func (i Issue) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", i.File, i.Line, i.Column, i.Message)
}

// Errors are all faults of a spec, in order of position. Load returns it as
// its error, so that a person mends a file in one pass.
type Errors []Issue

// Error has one fault a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, issue := range e {
		lines[i] = issue.String()
	}
	return strings.Join(lines, "\n")
}
