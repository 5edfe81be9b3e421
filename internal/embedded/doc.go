// Package embedded brings the Redis along, and reaches any other.
//
// Start runs a Redis for whoever has none: a private redis-server on a unix
// socket, which keeps its state on disk, or, where there is no such program,
// an in-process one that keeps it in memory. Connect makes a client for
// whatever REDIS_URL names.
//
// One data directory belongs to one runner at a time. Two redis-servers that
// append to one file destroy it, and nothing in Redis prevents that, so two
// locks do: one that the runner holds, and one that the redis-server inherits
// and holds for as long as it lives, even as an orphan.
package embedded
