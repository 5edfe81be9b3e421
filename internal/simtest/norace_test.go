//go:build !race

package simtest

// defaultSeeds takes a few seconds.
const defaultSeeds = 200
