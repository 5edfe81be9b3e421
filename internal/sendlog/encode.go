package sendlog

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// encode appends an entry as JSON, a tab, eight hexadecimal digits of its
// CRC-32C and a newline.
func encode(b []byte, e entry) ([]byte, error) {
	w := writer{b: b}
	from := len(b)
	switch {
	case e.Send != nil:
		w.send(e.Send)
	case e.Outcome != nil:
		w.outcome(e.Outcome)
	default:
		w.json(e)
	}
	if w.err != nil {
		return b, fmt.Errorf("send log: %w", w.err)
	}
	sum := crc32.Checksum(w.b[from:], castagnoli)
	return fmt.Appendf(w.b, "\t%08x\n", sum), nil
}

// writer writes the lines that there is one of for each request: to the byte
// what encoding/json writes, without its reflection.
type writer struct {
	b   []byte
	err error
}

func (w *writer) send(s *Send) {
	w.raw(`{"send":{"seq":`).int(s.Seq)
	w.raw(`,"at":`).time(s.At)
	w.raw(`,"op":`)
	if s.Doc != nil {
		w.b = append(w.b, s.Doc...)
	} else {
		w.json(&s.Op)
	}
	w.raw(`,"attempt":`).int(int64(s.Attempt))
	w.raw(`,"nonce":`).json(s.Nonce)
	w.text(`,"class":`, s.Class)
	w.text(`,"lane":`, s.Lane)
	w.text(`,"budgets":`, s.Budgets)
	w.amount(`,"amount":`, &s.Amount)
	w.amount(`,"quote":`, s.Quote)
	if len(s.Evidence) > 0 {
		w.raw(`,"evidence":`).json(s.Evidence)
	}
	w.raw(`}}`)
}

func (w *writer) outcome(o *Outcome) {
	w.raw(`{"outcome":{"nonce":`).json(o.Nonce)
	w.raw(`,"at":`).time(o.At)
	w.raw(`,"to":`).json(o.To)
	w.amount(`,"cost":`, o.Cost)
	w.amount(`,"refund":`, o.Refund)
	w.amount(`,"refund_at_most":`, o.RefundAtMost)
	if o.JobID != 0 {
		w.raw(`,"job_id":`).int(o.JobID)
	}
	if o.Made != nil {
		w.raw(`,"made":`).json(o.Made)
	}
	if o.SeatsAdded != 0 {
		w.raw(`,"seats_added":`).int(int64(o.SeatsAdded))
	}
	w.text(`,"error":`, o.Error)
	w.text(`,"note":`, o.Note)
	w.raw(`}}`)
}

func (w *writer) raw(s string) *writer {
	w.b = append(w.b, s...)
	return w
}

func (w *writer) int(n int64) { w.b = strconv.AppendInt(w.b, n, 10) }

func (w *writer) time(t time.Time) {
	w.b = append(t.AppendFormat(append(w.b, '"'), time.RFC3339Nano), '"')
}

// text writes a text that is left out where it is empty.
func (w *writer) text(name, s string) {
	if s != "" {
		w.raw(name).json(s)
	}
}

// amount writes an amount that is left out where it is nil.
func (w *writer) amount(name string, a *money.USD) {
	if a != nil {
		w.raw(name).raw(`"`).raw(a.String()).raw(`"`)
	}
}

func (w *writer) json(v any) {
	doc, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(w.b, doc...)
}
