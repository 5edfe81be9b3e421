// Package sendlog is the second witness of what was sent. Before the first byte
// of a request leaves, a line on this machine's own disk says what it is about;
// the journal in Redis is the first witness. Redis may lose what it
// acknowledged: by a fail-over to a replica that was behind, a power cut, a
// backup that is restored, a FLUSHALL. What was being sent then reads `queued`
// again, and would be sent, and paid, a second time.
//
// Every line carries a number that the journal gave out, and every request to
// begin tells the journal the highest of them. A journal that knows less has
// lost writes: nothing more is sent, and what the lines tell is written into the
// journal again as unknown, to be read back.
package sendlog
