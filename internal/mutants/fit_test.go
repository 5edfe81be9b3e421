package mutants

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the project's directory.
const root = "../.."

// TestEachMutantStillFits keeps the planted defects from rotting as the code
// moves on: each text that one replaces is there exactly once.
func TestEachMutantStillFits(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutants() {
		if names[m.name] || m.why == "" || len(m.edits) == 0 || len(m.caught) == 0 {
			t.Errorf("mutant %q: it needs a name of its own, a why, an edit and a package that catches it", m.name)
		}
		names[m.name] = true
		if _, err := m.apply(); err != nil {
			t.Errorf("mutant %q: %v; give it the text as it is now, in internal/mutants/list_test.go", m.name, err)
		}
	}
	if len(names) < 25 {
		t.Errorf("%d mutants, want 25 at least", len(names))
	}
}

// apply returns the mutated files by their absolute paths.
func (m mutant) apply() (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.edits {
		path, err := filepath.Abs(filepath.Join(root, e.file))
		if err != nil {
			return nil, err
		}
		text, changed := files[path]
		if !changed {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%q is %d times in %s, want once", e.old, n, e.file)
		}
		files[path] = strings.Replace(text, e.old, e.new, 1)
	}
	return files, nil
}
