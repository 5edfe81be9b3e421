package sendlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Send is one request that is about to leave, with all that the journal wrote
// when it let it through.
type Send struct {
	// Seq is the number that the journal gave it, of all runners' sends.
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	// Op is written as Doc where that is given: the journal's own words for it.
	Op  planner.Operation `json:"op"`
	Doc json.RawMessage   `json:"-"`
	// Attempt counts the calls of the operation, and Nonce names this one.
	Attempt int    `json:"attempt"`
	Nonce   string `json:"nonce"`
	// Class, Lane and Budgets are the journal's words for what it reserved.
	Class   string `json:"class,omitempty"`
	Lane    string `json:"lane,omitempty"`
	Budgets string `json:"budgets,omitempty"`
	// Amount is reserved, in USD.
	Amount money.USD  `json:"amount"`
	Quote  *money.USD `json:"quote,omitempty"`
	// Evidence is what was read beforehand.
	Evidence json.RawMessage `json:"evidence,omitempty"`
}

// Outcome is what became of a send. The last one of a nonce holds.
type Outcome struct {
	Nonce string        `json:"nonce"`
	At    time.Time     `json:"at"`
	To    planner.State `json:"to"`
	// Cost was charged and Refund came back, in USD; nil means nothing.
	Cost   *money.USD `json:"cost,omitempty"`
	Refund *money.USD `json:"refund,omitempty"`
	// RefundAtMost is set where the refund is an estimate, and bounds it.
	RefundAtMost *money.USD `json:"refund_at_most,omitempty"`
	JobID        int64      `json:"job_id,omitempty"`
	// Made describes the job that a create made.
	Made       *journal.Made `json:"made,omitempty"`
	SeatsAdded int           `json:"seats_added,omitempty"`
	Error      string        `json:"error,omitempty"`
	// Note says how it is known.
	Note string `json:"note,omitempty"`
}

// Final tells whether the outcome ends the doubt about its attempt.
func (o Outcome) Final() bool {
	switch o.To {
	case planner.Applied, planner.Rejected, planner.Queued:
		return true
	}
	return false
}

// Head is the first line of a log: one log belongs to one journal.
type Head struct {
	Version int    `json:"v"`
	Journal string `json:"journal"`
	Holder  string `json:"holder"`
	// Dropped is the highest number whose line was dropped; 0 where the log is
	// whole.
	Dropped int64 `json:"dropped,omitempty"`
}

// entry is one line; one of its fields is set.
type entry struct {
	Head    *Head    `json:"head,omitempty"`
	Send    *Send    `json:"send,omitempty"`
	Outcome *Outcome `json:"outcome,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errCut = errors.New("the line is cut or damaged")
	errSum = errors.New("the line's checksum does not fit")
)

func decode(line []byte) (entry, error) {
	var e entry
	text, sum, found := bytes.Cut(line, []byte{'\t'})
	if !found {
		return e, errCut
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || len(sum) != 8 {
		return e, errCut
	}
	if uint32(want) != crc32.Checksum(text, castagnoli) {
		return e, errSum
	}
	err = json.Unmarshal(text, &e)
	return e, err
}

// Contents is what one log holds.
type Contents struct {
	// Name is the file's, for messages.
	Name string
	Head
	// Sends are in the order in which they were recorded.
	Sends []Send
	// Outcomes are by nonce.
	Outcomes map[string]Outcome
	// Strangers are outcomes of sends that another log holds: this process read
	// them back.
	Strangers []Outcome
	// High is the highest number that the log knows of.
	High int64
}

// Parse reads a log. What a crash left of its last lines is passed over: it was
// never acknowledged, and nothing was sent for it. A bad line that whole ones
// follow is an error that names it.
func Parse(name string, data []byte) (Contents, error) {
	c := Contents{Name: name, Outcomes: map[string]Outcome{}}
	var bad error
	for n := 1; len(data) > 0; n++ {
		line, rest, ended := bytes.Cut(data, []byte{'\n'})
		e, err := decode(line)
		if err == nil && !ended {
			err = errCut
		}
		switch {
		case err != nil && bad == nil:
			bad = fmt.Errorf("send log %s, line %d: %w", name, n, err)
		case err == nil && bad != nil:
			return c, fmt.Errorf("%w, and whole lines follow it: restore the file, or stop the runner, move the file away "+
				"and run `enqueue recover` with all spec files", bad)
		case err == nil:
			c.add(e)
		}
		data = rest
	}
	if c.Version != 1 {
		if bad == nil {
			bad = fmt.Errorf("send log %s: it does not begin as one of this version", name)
		}
		return c, bad
	}
	c.strangers()
	return c, nil
}

func (c *Contents) strangers() {
	own := make(map[string]bool, len(c.Sends))
	for _, s := range c.Sends {
		own[s.Nonce] = true
	}
	for nonce, o := range c.Outcomes {
		if !own[nonce] {
			c.Strangers = append(c.Strangers, o)
		}
	}
	slices.SortFunc(c.Strangers, func(a, b Outcome) int { return b.At.Compare(a.At) })
}

func (c *Contents) add(e entry) {
	switch {
	case e.Head != nil:
		c.Head = *e.Head
		c.High = max(c.High, e.Head.Dropped)
	case e.Send != nil:
		c.Sends = append(c.Sends, *e.Send)
		c.High = max(c.High, e.Send.Seq)
	case e.Outcome != nil:
		c.Outcomes[e.Outcome.Nonce] = *e.Outcome
	}
}

// Open tells whether it is not known what became of a send.
func (c *Contents) Open(s Send) bool {
	o, found := c.Outcomes[s.Nonce]
	return !found || !o.Final()
}
