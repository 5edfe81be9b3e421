package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckedInSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := build()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("schema.json is not current, run go generate ./campaigns (-want +got):\n%s", diff)
	}
}
