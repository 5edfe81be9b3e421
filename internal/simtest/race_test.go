//go:build race

package simtest

// defaultSeeds is small, since the race detector slows the scripts down tenfold.
const defaultSeeds = 20
