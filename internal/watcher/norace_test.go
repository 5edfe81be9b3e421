//go:build !race

package watcher_test

// thousands is how many applications are rated in bulk.
const thousands = 10_000
