package planner

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// MaxBurst is how many slots of one action run at once when catch_up is all.
const MaxBurst = 100

// maxMissed bounds the count of missed slots, so that a year of down-time of an
// action that fires each second costs no more than a moment.
const maxMissed = 10_000

// Due is what one action owes at a moment.
type Due struct {
	// Run are the slots to run now, oldest first.
	Run []time.Time
	// Missed is how many slots passed that the catch-up policy leaves out; it
	// counts to 10,000 at most.
	Missed int
	// Watermark is the newest slot dealt with: what follows it is still to come.
	Watermark time.Time
	// Next is when the action is to be looked at again; the zero time means never.
	Next time.Time
}

// DueSlots tells which slots after the watermark are to run at now. Those that
// were to run, jitter included, longer ago than grace count as missed, and the
// action's catch-up policy says what becomes of them.
func DueSlots(a *campaigns.Action, s *campaigns.Schedule, key string, watermark, now time.Time, grace time.Duration) Due {
	due := Due{Watermark: watermark}
	oldest := now.Add(-max(time.Duration(a.CatchUpWindow), grace))
	cursor := watermark
	if skipped, to := countMissed(s, watermark, oldest.Add(-time.Duration(a.Jitter))); skipped > 0 {
		due.Missed, cursor, due.Watermark = skipped, to, to
	}
	var passed []time.Time
	var newest time.Time // when the newest of them was to run
	for {
		slot, ok := s.Next(cursor)
		if !ok {
			break
		}
		fire := s.FireAt(slot, key)
		if fire.After(now) {
			due.Next = fire
			break
		}
		cursor, due.Watermark = slot, slot
		if fire.Before(oldest) {
			due.Missed++
			continue
		}
		passed, newest = append(passed, slot), fire
		if len(passed) > MaxBurst {
			passed = passed[1:]
			due.Missed++
		}
	}
	run := choose(a.CatchUp, len(passed), newest.Before(now.Add(-grace)))
	due.Run = passed[len(passed)-run:]
	due.Missed = min(due.Missed+len(passed)-run, maxMissed)
	return due
}

// countMissed counts the slots after from that lie before to, and returns the
// instant from which to go on.
func countMissed(s *campaigns.Schedule, from, to time.Time) (int, time.Time) {
	if !from.Before(to) {
		return 0, from
	}
	n := 0
	for cursor := from; n < maxMissed; n++ {
		slot, ok := s.Next(cursor)
		if !ok || !slot.Before(to) {
			break
		}
		cursor = slot
	}
	if n == 0 {
		return 0, from
	}
	return n, to.Add(-time.Nanosecond)
}

// choose tells how many of the newest passed slots run; late says whether the
// newest was to run longer ago than grace.
func choose(policy campaigns.CatchUp, passed int, late bool) int {
	switch {
	case passed == 0, policy == campaigns.CatchUpNone && late:
		return 0
	case policy == campaigns.CatchUpAll:
		return passed
	}
	return 1
}
