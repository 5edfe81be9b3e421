package operator_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// TestAnEstimatedRefundComesBackAsOne restores a pause whose refund was not
// measured: the balance may still put it right.
func TestAnEstimatedRefundComesBackAsOne(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	books, err := journal.Open(memory.New(clock).Client())
	if err != nil {
		t.Fatal(err)
	}
	pause := planner.OnJob("c", "pause", planner.Pause, planner.Job{ID: 9, Item: "a"}, now)
	refund, most := money.Dollar, 3*money.Dollar
	log := sendlog.Contents{
		Head: sendlog.Head{Version: 1, Journal: "j", Holder: "h"}, Name: "h.log", High: 4,
		Sends: []sendlog.Send{{Seq: 4, At: now, Op: pause, Attempt: 1, Nonce: "n", Class: "refund"}},
		Outcomes: map[string]sendlog.Outcome{
			"n": {Nonce: "n", At: now, To: planner.Applied, Refund: &refund, RefundAtMost: &most, JobID: 9, Note: "an estimate"},
		},
	}
	o := operator.New(operator.Config{Journal: books, Now: clock, Log: slog.New(slog.DiscardHandler), Draw: func() string { return "w" }})
	for _, want := range []int{1, 0} { // repeated it finds all known
		done, err := o.Restore(t.Context(), operator.Sends{Given: []sendlog.Contents{log}}, nil)
		if err != nil || len(done.Sends) != want || len(done.Frozen) != 0 {
			t.Fatalf("restored %+v %v, want %d sends", done, err, want)
		}
	}
	account, err := books.Account(t.Context())
	if err != nil || account.Refunded != refund || account.Guessed != most-refund {
		t.Errorf("refunded %s, guessed %s (%v), want %s and %s", account.Refunded, account.Guessed, err, refund, most-refund)
	}
}

// TestMarkersWaitForTheLogsThatAreMissing gives a recovery spec files, but not the
// log for which the sends are frozen: it must not guess what that log knows. There
// is no marketplace here that it could ask.
func TestMarkersWaitForTheLogsThatAreMissing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	books, err := journal.Open(memory.New(clock).Client())
	if err != nil {
		t.Fatal(err)
	}
	if err := books.Freeze(t.Context(), "j", journal.Freeze{Holder: "other", Reason: "it lost writes", At: now}); err != nil {
		t.Fatal(err)
	}
	o := operator.New(operator.Config{Journal: books, Now: clock, Log: slog.New(slog.DiscardHandler), Draw: func() string { return "w" }})
	log := sendlog.Contents{Head: sendlog.Head{Version: 1, Journal: "j", Holder: "h"}, Name: "h.log"}
	done, err := o.Restore(t.Context(), operator.Sends{Logs: []sendlog.Contents{log}, Journal: "j"}, []*campaigns.File{{Source: "file"}})
	if err != nil || !done.Waits || len(done.Jobs) != 0 || len(done.Frozen) != 1 || done.Frozen[0].Holder != "other" {
		t.Errorf("restored %+v %v, want the files to wait for the other log", done, err)
	}
}
