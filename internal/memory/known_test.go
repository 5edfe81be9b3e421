package memory

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// What a script calls and this Redis does not know fails in the middle of it.
func TestEveryCommandOfTheScriptsIsKnown(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/*.lua")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d scripts: %v", len(files), err)
	}
	table := commandTable()
	called := regexp.MustCompile(`redis\.p?call\('([A-Z]+)'`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range called.FindAllSubmatch(text, -1) {
			if _, known := table[string(m[1])]; !known {
				t.Errorf("%s calls %s, which is not known", file, m[1])
			}
		}
	}
}
