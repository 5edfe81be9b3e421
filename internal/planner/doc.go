// Package planner is the second room: specs, state and time come in, operations
// go out. It is pure: it reads no clock, no Redis and no network, so the same
// input always plans the same operations with the same identities.
package planner
