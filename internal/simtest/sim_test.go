// Package simtest runs the program's own executor, journal, budgets, watcher
// and commands against the simulated marketplace on a virtual clock, with every
// fault of the network, of Redis, of processes, clocks and people drawn from a
// seed, and holds the invariants after every step. A seed and a number of steps
// say all about a run: it can be repeated to the byte.
package simtest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/planner"
)

var (
	oneSeed   = flag.Uint64("sim.seed", 0, "run this seed alone and print its trace")
	seedCount = flag.Int("sim.seeds", defaultSeeds, "how many seeds to run")
	firstSeed = flag.Uint64("sim.first", 1, "the first of them")
	stepCount = flag.Int("sim.steps", 200, "how many steps each takes, before it is left to come to rest")
)

// tally counts what was met, over all runs.
type tally struct {
	hits  map[string]int
	kinds map[planner.Kind]*fate
	// alone are those of the runs in which nobody touches the marketplace by hand.
	alone map[planner.Kind]*fate
	// estimates are refunds that could not be measured.
	estimates int
	// mistakes are jobs that questions made; kept and undone what became of them.
	mistakes, kept, undone int
}

// fate counts the operations of one kind.
type fate struct{ all, doubted, parked int }

func newTally() *tally {
	return &tally{hits: map[string]int{}, kinds: map[planner.Kind]*fate{}, alone: map[planner.Kind]*fate{}}
}

func (t *tally) hit(fault, where string) { t.hits[fault+" "+where]++ }

func of(kinds map[planner.Kind]*fate, k planner.Kind) *fate {
	if kinds[k] == nil {
		kinds[k] = &fate{}
	}
	return kinds[k]
}

// count adds an operation that has come to rest.
func (f *fate) count(doubted, parked bool) {
	f.all++
	if doubted {
		f.doubted++
	}
	if doubted && parked {
		f.parked++
	}
}

func (t *tally) add(o *tally) {
	for k, n := range o.hits {
		t.hits[k] += n
	}
	for _, pair := range [][2]map[planner.Kind]*fate{{t.kinds, o.kinds}, {t.alone, o.alone}} {
		for k, f := range pair[1] {
			sum := of(pair[0], k)
			sum.all += f.all
			sum.doubted += f.doubted
			sum.parked += f.parked
		}
	}
	t.estimates += o.estimates
	t.mistakes += o.mistakes
	t.kept += o.kept
	t.undone += o.undone
}

// simulate runs one seed to its end.
func simulate(seed uint64, steps int, t *tally) (*world, error) {
	w := newWorld(seed, t)
	if w.tail != nil {
		steps += steps / 2 // many of them go to the send logs
		w.tail.expect(steps)
	}
	w.steps(steps)
	w.rest()
	w.end()
	w.close()
	return w, w.err
}

func TestSimulation(t *testing.T) {
	t.Parallel()
	if *oneSeed != 0 {
		w, err := simulate(*oneSeed, *stepCount, newTally())
		t.Logf("trace of seed %d:\n%s", *oneSeed, w.trace.String())
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	total := newTally()
	for _, s := range kept(t) {
		report(t, s.seed, s.steps, total)
	}
	seeds := make(chan uint64)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			mine := newTally()
			for seed := range seeds {
				report(t, seed, *stepCount, mine)
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(mine)
		})
	}
	for i := range *seedCount {
		if t.Failed() {
			break
		}
		seeds <- *firstSeed + uint64(i)
	}
	close(seeds)
	wg.Wait()
	if !t.Failed() {
		total.judge(t, *seedCount)
	}
}

// report runs a seed and says how to run it again where it fails.
func report(t *testing.T, seed uint64, steps int, total *tally) {
	w, err := simulate(seed, steps, total)
	if err == nil {
		return
	}
	lines := strings.Split(strings.TrimSpace(w.trace.String()), "\n")
	t.Errorf("seed %d: %v\nrun it again, with its trace:\n  go test ./internal/simtest -run TestSimulation -sim.seed=%d -sim.steps=%d -v\nits last lines:\n%s",
		seed, err, seed, steps, strings.Join(lines[max(0, len(lines)-12):], "\n"))
}

// judge tells what was met. Two thousand runs must have met each fault and have
// disturbed each call, a hundred times as many each fault on each call.
func (t *tally) judge(tb testing.TB, seeds int) {
	met, missed := map[string]bool{}, []string{}
	for _, f := range faults {
		for _, r := range routes {
			switch {
			case !fits(f, r):
			case t.hits[f+" "+r] == 0:
				missed = append(missed, f+" of "+r)
			default:
				met[f], met[r] = true, true
			}
		}
	}
	if seeds >= 2000 {
		for _, name := range append(slices.Clone(faults), routes...) {
			if !met[name] {
				tb.Errorf("%s was never met", name)
			}
		}
		t.judgeParked(tb)
	}
	if seeds >= 200_000 && len(missed) > 0 {
		tb.Errorf("never met: %s", strings.Join(missed, ", "))
	}
	t.judgeTail(tb, seeds)
	t.judgeMistakes(tb, seeds)
	tb.Logf("%d of the pairs of a fault and a call were not met", len(missed))
	tb.Logf("%s\n%d refunds were estimates", table(t.kinds), t.estimates)
	tb.Logf("of them where nobody touched the marketplace by hand:\n%s", table(t.alone))
}

// mostParked is how many of a thousand operations in doubt may be left to a
// person where none touched the marketplace: of these kinds some, of others none.
var mostParked = map[planner.Kind]int{planner.AddSeats: 50, planner.Resume: 10, planner.Rate: 5}

// judgeParked holds what was left to a person against that, where no hand
// explains it.
func (t *tally) judgeParked(tb testing.TB) {
	for _, k := range []planner.Kind{
		planner.Create, planner.AddSeats, planner.Pause, planner.Resume, planner.Restart, planner.Update, planner.Rate,
	} {
		f := of(t.alone, k)
		if f.doubted == 0 {
			tb.Errorf("no %s was ever in doubt where nobody touched the marketplace", k)
		}
		if f.parked*1000 > f.doubted*mostParked[k] {
			tb.Errorf("%d of %d %s in doubt were left to a person whom nothing explains", f.parked, f.doubted, k)
		}
	}
}

func table(kinds map[planner.Kind]*fate) string {
	var lines []string
	for k, f := range kinds {
		lines = append(lines, fmt.Sprintf("%-10s %6d operations, %6d of them once in doubt, %4d still parked", k, f.all, f.doubted, f.parked))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// keptSeed is one that once failed.
type keptSeed struct {
	seed  uint64
	steps int
}

// kept reads the seeds that once failed: a file for each, named by seed and
// steps, with a word on what it found.
func kept(t *testing.T) []keptSeed {
	files, err := filepath.Glob("testdata/seeds/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []keptSeed
	for _, f := range files {
		seed, steps, ok := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".txt"), "-")
		s, err := strconv.ParseUint(seed, 10, 64)
		n, err2 := strconv.Atoi(steps)
		if !ok || err != nil || err2 != nil {
			t.Fatalf("%s: name it SEED-STEPS.txt", f)
		}
		if about, err := os.ReadFile(f); err != nil || len(strings.TrimSpace(string(about))) == 0 {
			t.Fatalf("%s: says nothing on what it found (%v)", f, err)
		}
		out = append(out, keptSeed{s, n})
	}
	return out
}

func TestTheSameSeedIsTheSameRun(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 20; seed++ {
		var traces [2]string
		for i := range traces {
			w, _ := simulate(seed, 150, newTally())
			traces[i] = w.trace.String()
		}
		if traces[0] != traces[1] {
			a, b := strings.Split(traces[0], "\n"), strings.Split(traces[1], "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("seed %d, line %d:\n%s\n%s", seed, i, a[i], b[i])
				}
			}
			t.Fatalf("seed %d: %d lines and %d", seed, len(a), len(b))
		}
	}
}
