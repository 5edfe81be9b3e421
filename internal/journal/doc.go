// Package journal is the fifth room: it keeps what every operation is worth,
// in Redis, and it alone decides whether a call may be made.
//
// Each change is one script, so it happens whole or not at all, and each script
// knows its own repetition: an operation, an attempt and a stamp make it
// idempotent, since an answer of Redis can get lost like any other. Amounts are
// millionths of a dollar, times are milliseconds since the Unix epoch.
package journal
