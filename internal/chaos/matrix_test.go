//go:build chaos

package chaos

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// left is the reading of availseats as the seats that nobody has taken yet.
var left = []string{"--seats-left"}

// matrix are all scenarios, some minutes each. Where the seats left are told,
// about one worker a second applies: with ten times as many no number of seats
// tells an addition of two from none.
var matrix = []scenario{
	{name: "one runner, every fault", runners: 1, items: 24, seconds: 60, share: 0.4},
	{name: "two runners, every fault", runners: 2, items: 24, seconds: 60, share: 0.4, sandbox: []string{"--page-size", "7", "--retry-date"}},
	{name: "three runners, every fault, kills", runners: 3, items: 24, seconds: 60, share: 0.4, during: []disturbance{killing(time.Second)}},
	{name: "one runner, kills every second", runners: 1, items: 24, seconds: 60, during: []disturbance{killing(time.Second)}},
	{name: "seats left, every fault", runners: 2, items: 24, seconds: 60, share: 0.4, scale: 900, sandbox: left},
	{name: "seats left, kills, pages of three", runners: 2, items: 16, seconds: 60, share: 0.2, scale: 900, sandbox: append([]string{"--page-size", "3"}, left...), during: []disturbance{killing(time.Second)}},
	{name: "no workers, every fault, kills", runners: 2, items: 24, seconds: 60, share: 0.4, scale: 1, during: []disturbance{killing(2 * time.Second)}},
	{name: "pauses, every fault", runners: 2, items: 4, seconds: 90, share: 0.3, pauses: true},
	{name: "pauses, kills, seats left", runners: 2, items: 4, seconds: 90, share: 0.2, scale: 900, pauses: true, sandbox: left, during: []disturbance{killing(3 * time.Second)}},
	{name: "pauses without faults", runners: 3, items: 4, seconds: 40, pauses: true},
	{name: "a runner sleeps past its lease", runners: 2, items: 24, seconds: 80, share: 0.3, during: []disturbance{stopping(36 * time.Second)}},
	{name: "a lone runner sleeps", runners: 1, items: 24, seconds: 80, share: 0.2, during: []disturbance{stopping(34 * time.Second)}},
	{name: "redis killed every four seconds", runners: 2, items: 24, seconds: 60, share: 0.3, during: []disturbance{restartingRedis(4 * time.Second)}},
	{name: "redis and runners killed", runners: 3, items: 24, seconds: 60, share: 0.3, during: []disturbance{killing(time.Second), restartingRedis(7 * time.Second)}},
	{name: "redis stalls at a handler's end", runners: 2, items: 24, seconds: 60, more: slowly, during: []disturbance{atHandlersEnd(stall(5 * time.Second))}},
	{name: "redis is gone at a handler's end", runners: 2, items: 24, seconds: 60, more: slowly, during: []disturbance{atHandlersEnd(func(w *world) { w.breakRedis(5 * time.Second) })}},
	{name: "connections cut four times a second", runners: 2, items: 24, seconds: 60, share: 0.3, during: []disturbance{cutting(250 * time.Millisecond)}},
	{name: "redis answers nobody past a lease", runners: 2, items: 24, seconds: 80, share: 0.3, during: []disturbance{holdingUp(20*time.Second, 12*time.Second)}},
	{name: "creates told of wrong jobs", runners: 2, items: 40, seconds: 60, share: 0.4, mends: true, more: wrongly, during: []disturbance{auditing(time.Second)}},
	{name: "creates told of wrong jobs, kills", runners: 2, items: 40, seconds: 60, share: 0.4, mends: true, more: wrongly, during: []disturbance{auditing(time.Second), killing(2 * time.Second)}},
	{name: "ratings in bulk, every fault, kills", runners: 2, items: 4, seconds: 60, share: 0.4, scale: 1, ratings: true, during: []disturbance{crowding, killing(3 * time.Second)}},
	{name: "ratings in bulk, redis killed", runners: 2, items: 4, seconds: 60, share: 0.1, scale: 1, ratings: true, during: []disturbance{crowding, restartingRedis(4 * time.Second)}},
	{name: "SIGTERM over and over", runners: 1, items: 24, seconds: 60, share: 0.3, during: []disturbance{draining(3 * time.Second)}},
	{name: "SIGTERM of two in turn", runners: 2, items: 24, seconds: 60, share: 0.3, during: []disturbance{draining(3 * time.Second)}},
}

// slowly has the marketplace answer purchases late enough to break something
// before the answer is there.
const slowly = "create:slow(600ms)=1,add_seats:slow(600ms)=1,resume:slow(600ms)=1"

// wrongly has the marketplace tell creates of the next job in place of their own.
const wrongly = "create:wrong_job_id=0.3"

// most is the share of ambiguous operations of a kind that may be left to a
// person, over the whole matrix.
var most = map[planner.Kind]float64{planner.Rate: 0.005, planner.Resume: 0.01, planner.AddSeats: 0.05}

func TestMatrix(t *testing.T) {
	sum := verdicts{ambiguous: map[planner.Kind]int{}, parked: map[planner.Kind]int{}}
	for _, s := range matrix {
		t.Run(s.name, func(t *testing.T) {
			v := s.run(t, *seedFlag)
			for kind, n := range v.ambiguous {
				sum.ambiguous[kind] += n
			}
			for kind, n := range v.parked {
				sum.parked[kind] += n
			}
		})
	}
	for _, kind := range slices.Sorted(maps.Keys(sum.ambiguous)) {
		doubts, parked := sum.ambiguous[kind], sum.parked[kind]
		t.Logf("%s: %d ended in doubt, %d were left to a person", kind, doubts, parked)
		if limit := most[kind]; float64(parked) > limit*float64(doubts) {
			t.Errorf("%s: %d of %d operations in doubt were left to a person, more than %.1f %%", kind, parked, doubts, 100*limit)
		}
	}
}
