// Package executor is the fourth room: it carries operations out on the
// marketplace and finds out what became of those in doubt.
//
// It knows nothing of queues. The clock, the marketplace and the journal are
// arguments, so that the same code runs against a simulation. Every kind of
// operation is one file: what is read beforehand, what is sent, and how its
// outcome is read back.
package executor
