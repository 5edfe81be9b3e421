package campaigns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Issue is one fault at one place of a spec.
type Issue struct {
	// File is the path as it was given.
	File string `json:"file"`
	// Line and Column count from 1.
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

// maxIssues bounds a report: nobody reads more, and a hostile file could hold
// a fault in every byte.
const maxIssues = 1000

// report gathers issues, each of them once.
type report struct {
	file   string
	issues []Issue
	seen   map[Issue]struct{}
	// full is set by the first issue that is left out.
	full bool
}

// at adds an issue at a node.
func (r *report) at(n *yaml.Node, format string, args ...any) {
	if !r.full {
		r.add(Issue{r.file, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)})
	}
}

// add keeps an issue unless it is known or the report is full. A fault in the
// defaults of a file would else be told for each of its campaigns.
func (r *report) add(i Issue) {
	if _, known := r.seen[i]; known {
		return
	}
	if len(r.issues) == maxIssues {
		r.full = true
		return
	}
	if r.seen == nil {
		r.seen = make(map[Issue]struct{})
	}
	r.seen[i] = struct{}{}
	r.issues = append(r.issues, i)
}

// sorted are the issues by position, those of the spec itself first. The last
// one tells if some were left out.
func (r *report) sorted() []Issue {
	slices.SortStableFunc(r.issues, func(a, b Issue) int {
		return cmp.Or(
			-compareBool(a.File == r.file, b.File == r.file),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
	if r.full {
		last := r.issues[len(r.issues)-1]
		last.Message = fmt.Sprintf("more than %d faults: the rest is left out", maxIssues)
		r.issues = append(r.issues, last)
	}
	return r.issues
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// clip keeps a hostile text from filling an error message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
