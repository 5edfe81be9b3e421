package operator

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// ReadDecisions reads a file of application_id,verdict,reason with a head. All
// that is wrong with it is told at once, by line, beside the lines that are right.
func ReadDecisions(r io.Reader) ([]Decision, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return nil, errors.New("the file of decisions is empty: it begins with application_id,verdict,reason")
	}
	at, err := decisionColumns(head)
	if err != nil {
		return nil, err
	}
	var out []Decision
	var errs []error
	seen := map[int64]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
		line, _ := rows.FieldPos(0)
		d, err := decision(row, at)
		d.line = line
		if seen[d.ApplicationID] > 0 {
			err = fmt.Errorf("application %d was decided on line %d already", d.ApplicationID, seen[d.ApplicationID])
		}
		if d.ApplicationID > 0 {
			seen[d.ApplicationID] = line
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		out = append(out, d)
	}
	if len(errs) == 0 && len(out) == 0 {
		return nil, errors.New("the file of decisions holds none")
	}
	return out, errors.Join(errs...)
}

// maxReason is how many characters a worker is told at most.
const maxReason = 1000

// decisionColumns finds the columns by their heads, in any order, and under ""
// how many there are.
func decisionColumns(head []string) (map[string]int, error) {
	at := map[string]int{"": len(head)}
	for i, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		switch name {
		case "application_id", "verdict", "reason":
			if _, twice := at[name]; twice {
				return nil, fmt.Errorf("line 1: the column %s comes twice", name)
			}
			at[name] = i
		default:
			return nil, fmt.Errorf("line 1: column %q is none of application_id, verdict and reason", name)
		}
	}
	for _, name := range []string{"application_id", "verdict"} {
		if _, found := at[name]; !found {
			return nil, fmt.Errorf("line 1: the column %s is missing", name)
		}
	}
	return at, nil
}

func decision(row []string, at map[string]int) (Decision, error) {
	field := func(name string) string {
		if i, found := at[name]; found && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	d := Decision{Verdict: campaigns.Verdict(field("verdict")), Reason: field("reason"), Rule: "decision"}
	id, err := strconv.ParseInt(field("application_id"), 10, 64)
	if err != nil || id < 1 {
		return d, fmt.Errorf("%q is not the id of an application", field("application_id"))
	}
	d.ApplicationID = id
	if len(row) > at[""] {
		return d, fmt.Errorf("%d fields where the head has %d: put a reason with commas in quotes", len(row), at[""])
	}
	if utf8.RuneCountInString(d.Reason) > maxReason {
		return d, fmt.Errorf("the reason is longer than %d characters", maxReason)
	}
	return d, CheckVerdict(d.Verdict, d.Reason)
}

// CheckVerdict refuses words that are no verdict, and those that need a reason.
func CheckVerdict(v campaigns.Verdict, reason string) error {
	switch v {
	case campaigns.Approve, campaigns.Leave:
		return nil
	case campaigns.Decline, campaigns.Redo:
		if reason == "" {
			return fmt.Errorf("a verdict of %s needs a reason", v)
		}
		return nil
	}
	return fmt.Errorf("%q is none of approve, decline, redo and leave", v)
}
