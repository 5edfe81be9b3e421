package campaigns_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// TestBadFiles loads each file of testdata/bad. Its first line tells what must
// be found in it: "line:column: message", several joined by " | ", those of a
// rows file with its path before them.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	for _, path := range files(t, "testdata/bad/*.yaml") {
		t.Run(rule(path), func(t *testing.T) {
			t.Parallel()
			_, err := campaigns.Load(path)
			var faults campaigns.Errors
			if !errors.As(err, &faults) {
				t.Fatalf("Load = %v, want campaigns.Errors", err)
			}
			compareIssues(t, path, faults)
		})
	}
}

// TestWarnings does the same with testdata/warn, whose files load.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, path := range files(t, "testdata/warn/*.yaml") {
		t.Run(rule(path), func(t *testing.T) {
			t.Parallel()
			f, err := campaigns.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			compareIssues(t, path, f.Warnings)
		})
	}
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	return paths
}

func rule(path string) string { return strings.TrimSuffix(filepath.Base(path), ".yaml") }

// firstLine is what a file says of itself.
func firstLine(t *testing.T, path string) (want string, schemaRefuses bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimPrefix(line, "# ")
	want, schemaRefuses = strings.CutPrefix(line, "[schema] ")
	return want, schemaRefuses
}

func compareIssues(t *testing.T, path string, issues []campaigns.Issue) {
	t.Helper()
	want, _ := firstLine(t, path)
	var got []string
	for _, i := range issues {
		line := fmt.Sprintf("%d:%d: %s", i.Line, i.Column, i.Message)
		if i.File != path {
			line = i.File + ":" + line
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(strings.Split(want, " | "), got); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}
