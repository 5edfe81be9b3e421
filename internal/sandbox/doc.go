// Package sandbox is the marketplace, simulated over HTTP.
//
// In: a Config (a seed, a clock, the habits of the answers, a fault plan) and
// requests as the published reference prints them. Out: answers of the same
// shapes, and books that tell what really happened, whatever was answered.
//
// People use it to rehearse a spec without spending anything; the tests use it
// as their oracle. It spends simulated money only, keeps everything in memory
// and is deterministic: the same seed, clock and sequence of requests give the
// same workers, the same faults and the same books.
//
// The marketplace's own surface is under BasePath. Beside it, for loopback
// callers only, stands a testing surface that no real marketplace has:
//
//	GET  /sandbox/books         Books as JSON
//	GET  /sandbox/requests      Traffic as JSON
//	POST /sandbox/faults        a fault plan as text (see ParseFaults); empty: none
//	POST /sandbox/advance       {"by":"36h"}: moves the marketplace's clock ahead
//	POST /sandbox/callback      {"url":"http://127.0.0.1:8080/..."}
//	POST /sandbox/applications  {"job_id":15341,"count":3}
//	POST /sandbox/jobs          a Job: a person makes one on the website
//	POST /sandbox/edit          {"job_id":15341,"title":"..."}: a person edits one
//	POST /sandbox/seats         {"job_id":15341,"count":10}: a person buys seats
//	POST /sandbox/finish        {"job_id":15341}
//	POST /sandbox/delete        {"job_id":15341}
//	POST /sandbox/deposit       {"amount":"25"}
package sandbox
