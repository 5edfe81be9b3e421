//go:build mutants

package mutants

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	abreast = flag.Int("mutants.abreast", 2, "how many mutants are tried at once")
	only    = flag.String("mutants.only", "", "a regular expression of the mutants to try")
)

// outcome is what became of a mutant.
type outcome struct {
	by   string // the test that caught it; "" where it survived
	err  error  // it could not be tried
	took time.Duration
}

// TestMutantsAreCaught plants each defect in a copy that only the compiler sees
// and demands that a test of the named packages fails.
func TestMutantsAreCaught(t *testing.T) {
	pick, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	var list []mutant
	for _, m := range mutants() {
		if pick.MatchString(m.name) {
			list = append(list, m)
		}
	}
	began := time.Now()
	sound(t, list)
	found := make([]outcome, len(list))
	var wg sync.WaitGroup
	places := make(chan struct{}, *abreast)
	for i, m := range list {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			found[i] = m.try(t.Context(), t.TempDir())
			t.Logf("%s: %s %v", m.name, found[i], found[i].took.Round(time.Second))
		})
	}
	wg.Wait()
	t.Logf("%d mutants in %v\n%s", len(list), time.Since(began).Round(time.Second), table(list, found))
	for i, m := range list {
		if found[i].by == "" {
			t.Errorf("mutant %q: %s; it would mean that %s", m.name, found[i], m.why)
		}
	}
}

// sound demands that the tests pass where nothing is planted: else they would
// catch anything.
func sound(t *testing.T, list []mutant) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range list {
		for _, room := range m.caught {
			if seen[room] {
				continue
			}
			seen[room] = true
			if out, err := tests(t.Context(), room, ""); err != nil {
				t.Fatalf("the tests of %s fail without any mutant: %s: %s", room, catcher(out), lastLines(out))
			}
		}
	}
}

// tests runs the tests of a room. Random tests leave no file of what failed.
func tests(ctx context.Context, room, overlay string, more ...string) (string, error) {
	args := append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout", "4m"}, more...)
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	args = append(args, room)
	if drawsRandomly(room) {
		args = append(args, "-rapid.nofailfile")
	}
	return command(ctx, args...)
}

func drawsRandomly(room string) bool {
	files, _ := filepath.Glob(filepath.Join(root, room, "*_test.go"))
	return slices.ContainsFunc(files, func(path string) bool {
		b, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(b), `"pgregory.net/rapid"`)
	})
}

func (o outcome) String() string {
	switch {
	case o.err != nil:
		return o.err.Error()
	case o.by == "":
		return "SURVIVED"
	}
	return o.by
}

func table(list []mutant, found []outcome) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\tcaught by\ttime")
	for i, m := range list {
		fmt.Fprintf(w, "%s\t%s\t%v\n", m.name, found[i], found[i].took.Round(time.Second))
	}
	_ = w.Flush()
	return b.String()
}

// try runs the tests that must catch the mutant, until one does.
func (m mutant) try(ctx context.Context, dir string) (o outcome) {
	began := time.Now()
	defer func() { o.took = time.Since(began) }()
	overlay, err := m.overlay(dir)
	if err != nil {
		return outcome{err: err}
	}
	for _, room := range m.caught {
		// What does not compile proves nothing.
		if out, err := command(ctx, "test", "-vet=off", "-overlay", overlay, "-run", "^$", room); err != nil {
			return outcome{err: fmt.Errorf("it does not build: %s", lastLines(out))}
		}
		out, err := tests(ctx, room, overlay)
		if err == nil {
			continue
		}
		// A test that now and then fails by itself has caught nothing.
		by := catcher(out)
		top, _, _ := strings.Cut(by, "/")
		if out, err := tests(ctx, room, "", "-run", "^"+top+"$"); err != nil && strings.HasPrefix(top, "Test") {
			return outcome{err: fmt.Errorf("%s fails without the mutant too: %s", by, lastLines(out))}
		}
		return outcome{by: strings.TrimPrefix(room, "./") + " " + by}
	}
	return outcome{}
}

// overlay writes the mutated files and what the compiler is to read in place
// of what. The tree itself is never touched.
func (m mutant) overlay(dir string) (string, error) {
	files, err := m.apply()
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for path, text := range files {
		copied := filepath.Join(dir, fmt.Sprint(len(replace))+filepath.Ext(path))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[path] = copied
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

func command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// catcher is the innermost test that failed first.
func catcher(out string) string {
	deepest := ""
	for _, m := range failed.FindAllStringSubmatch(out, -1) {
		if deepest == "" || strings.HasPrefix(m[1], deepest+"/") {
			deepest = m[1]
		}
	}
	switch {
	case deepest != "":
		return deepest
	case strings.Contains(out, "panic: test timed out"):
		return "(time-out)"
	case strings.Contains(out, "panic:"):
		return "(panic)"
	}
	return lastLines(out)
}

func lastLines(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}
