// Package mutants plants defects, each of which would cost money or lose a
// purchase, and shows that the tests catch every one of them.
package mutants

// mutant is one planted defect.
type mutant struct {
	name string
	// why is what it would cost.
	why   string
	edits []edit
	// caught lists the packages whose tests must fail, the likeliest first.
	caught []string
}

// edit replaces a text that occurs exactly once in a file of the project.
type edit struct{ file, old, new string }

// one is a mutant of a single edit.
func one(name, why, file, old, replacement string, caught ...string) mutant {
	return mutant{name: name, why: why, edits: []edit{{file, old, replacement}}, caught: caught}
}

const (
	apiRoom      = "./internal/api"
	journalRoom  = "./internal/journal"
	executorRoom = "./internal/executor"
	operatorRoom = "./internal/operator"
	plannerRoom  = "./internal/planner"
	sendlogRoom  = "./internal/sendlog"
	moneyRoom    = "./campaigns/money"
	simRoom      = "./internal/simtest"
)

// mutants are all planted defects, by the room that they are in.
func mutants() []mutant {
	var all []mutant
	for _, list := range [][]mutant{ofAPI, ofDoor, ofSettling, ofPlanning, ofReadBacks, ofMoney, ofSendLog, ofTail, ofPages, ofQuestions, ofOutages} {
		all = append(all, list...)
	}
	return all
}

var ofAPI = []mutant{
	one("retry on time-out", "what was applied before the connection broke is bought again",
		"internal/api/classify.go",
		`return &Error{Reason: faultReason(x.fault, true), Err: x.fault}`,
		`return &Error{Effect: EffectNotApplied, Reason: faultReason(x.fault, true), Err: x.fault}`,
		apiRoom, executorRoom),
	one("5xx taken as rejected", "a purchase that was made is not in the books",
		"internal/api/classify.go", `		e.Reason = ReasonServer`, `		e.Effect, e.Reason = EffectRejected, ReasonServer`,
		apiRoom, executorRoom),
	one("5xx sent again", "a purchase that was made is made again",
		"internal/api/classify.go", `		e.Reason = ReasonServer`, `		e.Effect, e.Reason = EffectNotApplied, ReasonServer`,
		apiRoom, executorRoom),
	one("429 taken as unknown", "every busy minute holds budgets back and leaves work to people",
		"internal/api/classify.go", `e.Effect, e.Reason = EffectNotApplied, ReasonRateLimited`, `e.Reason = ReasonRateLimited`,
		apiRoom, executorRoom),
	one("401 ends operations", "a key that is changed loses what was planned meanwhile",
		"internal/api/classify.go", `e.Effect, e.Reason = EffectNotApplied, ReasonUnauthorized`, `e.Effect, e.Reason = EffectRejected, ReasonUnauthorized`,
		apiRoom, executorRoom),
	one("redirects followed", "a POST is sent twice, or a page is taken for an answer",
		"internal/api/call.go", `c.roundTripper(e).RoundTrip(req)`, `(&http.Client{Transport: c.roundTripper(e)}).Do(req)`,
		apiRoom),
	{name: "HTTP/2 with GetBody", why: "Go's client repeats a POST that a peer reset after doing it", edits: []edit{
		{"internal/api/transport.go", `	protocols.SetHTTP1(true)`, "\tprotocols.SetHTTP1(true)\n\tprotocols.SetHTTP2(true)"},
		{"internal/api/call.go", `	req.GetBody = nil`, ``},
	}, caught: []string{apiRoom}},
	{name: "Idempotency-Key header", why: "it switches on a retry of Go's client, against a server that ignores it", edits: []edit{
		{"internal/api/call.go", `	req.GetBody = nil`, `	req.Header.Set("Idempotency-Key", "1")`},
	}, caught: []string{apiRoom}},
	one("the fence of a sleeper", "a process that slept past its time sends what was given up",
		"internal/api/guard.go", `if f != nil && f.passed(now()) {`, `if f != nil && false && f.passed(now()) {`,
		apiRoom, executorRoom),
	one("a clock set back opens the fence", "a sleeper sends after all",
		"internal/api/guard.go", `return !now.Before(f.given) || !now.Before(f.measured) || !now.Round(0).Before(f.given.Round(0))`,
		`return !now.Round(0).Before(f.given.Round(0))`,
		apiRoom),
	one("another job's answer", "seats are booked that were never bought",
		"internal/api/success.go", `if id <= 0 || (job != 0 && id != job) {`, `if id <= 0 {`,
		apiRoom, executorRoom),
	one("an answer without a cost", "a purchase is booked for nothing, and the budget is spent again",
		"internal/api/success.go", `return 0, errors.New("it tells no cost")`, `return 0, nil`,
		apiRoom, executorRoom),
	one("one page read", "a job on the second page is not found, and bought again",
		"internal/api/pages.go", `if len(seen) == before {`, `if page == 1 || len(seen) == before {`,
		apiRoom, executorRoom),
}

var ofDoor = []mutant{
	one("sending taken as not sent", "two workers send the same attempt",
		"internal/journal/begin.lua", `if state ~= 'queued' then`, `if state ~= 'queued' and state ~= 'sending' then`,
		journalRoom, executorRoom),
	one("any nonce passes", "a second caller is let through where the first one's answer was",
		"internal/journal/begin.lua", `if state == 'sending' and redis.call('HGET', k, 'x') == nonce then`, `if state == 'sending' then`,
		journalRoom),
	one("a reservation with a TTL", "the budget heals while the purchase is still in doubt",
		"internal/journal/begin.lua", `  budget_add(budgets, 'reserved', amount)`,
		"  budget_add(budgets, 'reserved', amount)\n  each_budget(budgets, function(_, _, _, wk) redis.call('EXPIRE', wk, 60) end)",
		journalRoom),
	one("no pause check", "a paused campaign goes on buying",
		"internal/journal/begin.lua", `if stop or (cs and cs ~= 'active') then`, `if false then`,
		journalRoom, executorRoom),
	one("reserved is free", "calls in flight pass a cap together",
		"internal/journal/begin.lua", `+ num(redis.call('HGET', wk, 'reserved')) +`, `+`,
		journalRoom, executorRoom),
	one("unknown is free", "what may have been bought is spent again",
		"internal/journal/begin.lua", `+ num(redis.call('HGET', wk, 'unknown'))`, ``,
		journalRoom, executorRoom),
	one("the cap looks at the past alone", "the last purchase passes the cap",
		"internal/journal/begin.lua", `held + amount > cap`, `held > cap`,
		journalRoom, executorRoom),
	one("only the first budget", "the file's budget is passed",
		"internal/journal/begin.lua", `for i = 1, num(ARGV[`, `for i = 1, math.min(1, 0 + ARGV[`,
		journalRoom, executorRoom),
	one("a closed latch lets through", "a budget at its threshold goes on",
		"internal/journal/begin.lua", `        return {'latched', scope, window}`, ``,
		journalRoom, executorRoom),
	one("the minimum balance without what is held", "the account is emptied by calls in flight",
		"internal/journal/begin.lua", `      - num(redis.call('HGET', account, 'reserved')) - num(redis.call('HGET', account, 'unknown')) - amount`, `      - amount`,
		journalRoom),
	one("lane not taken", "two purchases on one job are in doubt, and neither can be decided",
		"internal/journal/begin.lua", `else redis.call('HSET', jobkey(lane), 'lane', id) end`, `end`,
		journalRoom, executorRoom),
	one("old evidence", "a purchase is judged by what the job was before another one",
		"internal/journal/begin.lua", `then return {'stale'} end`, `then end`,
		journalRoom, executorRoom),
	one("a day is opened again", "a clock that goes back doubles the day's budget",
		"internal/journal/common.lua", `if cur and #cur == #window and cur > window then return cur end`, ``,
		journalRoom),
	one("refunds measured in the bustle", "another's charge is taken for part of a refund",
		"internal/journal/begin.lua", `if num(redis.call('HGET', account, 'inflight')) > 0 then`, `if false then`,
		journalRoom, executorRoom),
}

var ofSettling = []mutant{
	one("release on unknown", "the money of a purchase in doubt is spent again",
		"internal/journal/settle.lua", `local keeps = to == 'unknown' or to == 'parked'`, `local keeps = to == 'parked'`,
		journalRoom, executorRoom),
	one("release on parked", "the money that waits for a person is spent again",
		"internal/journal/settle.lua", `local keeps = to == 'unknown' or to == 'parked'`, `local keeps = to == 'unknown'`,
		journalRoom, executorRoom),
	one("nonce not checked", "a sender that was given up settles the next one's attempt",
		"internal/journal/settle.lua", `if nonce ~= '' and redis.call('HGET', k, 'x') ~= nonce then return {'state', 'stale'} end`, ``,
		journalRoom, executorRoom),
	one("a repeated settlement is a new one", "an outcome whose answer was lost reads as a conflict",
		"internal/journal/settle.lua", `if redis.call('HGET', k, 'y') == stamp then`, `if false then`,
		journalRoom),
	one("state not compared", "an outcome is booked twice",
		"internal/journal/settle.lua", `if state ~= from then return {'state', state} end`, ``,
		journalRoom, executorRoom),
	one("latch not closed", "a budget at its threshold goes on until somebody looks",
		"internal/journal/settle.lua", `(latch(scope, window, sk, wk, now) or redis.call('HGET', sk, 'latched'))`, `redis.call('HGET', sk, 'latched')`,
		journalRoom, executorRoom),
	one("refunds in the present window", "a refund gives this month's budget last month's money",
		"internal/journal/common.lua", `    budget_add(list, 'refunded', part)`, `    budget_add(redis.call('HGET', opkey(id), 'b'), 'refunded', part)`,
		journalRoom, executorRoom),
	one("another's job is taken", "two creates own one job, and one job has no owner",
		"internal/journal/settle.lua", `if c and op ~= id then return {'taken', op or c} end`, ``,
		journalRoom, executorRoom),
	one("lane not freed", "no more purchases on a job, ever",
		"internal/journal/settle.lua", `then redis.call('HDEL', jobkey(lane), 'lane') end`, `then end`,
		journalRoom, executorRoom),
	one("a job is recovered twice", "its cost is booked twice",
		"internal/journal/recover.lua", ` or redis.call('HEXISTS', jk, 'c') == 1 then`, ` then`,
		journalRoom, operatorRoom),
}

var ofPlanning = []mutant{
	one("an operation is written twice", "what was bought is queued again",
		"internal/journal/create.lua", `if redis.call('EXISTS', k) == 0 then`, `if true then`,
		journalRoom),
	one("fence not checked", "a planner that was presumed dead plans beside its heir",
		"internal/journal/create.lua", `if fence ~= '' and redis.call('GET', P .. 'fence') ~= fence then return {'fenced'} end`, ``,
		journalRoom),
	one("watermark not compared", "two planners make one slot's operations of two specs",
		"internal/journal/create.lua", `if have ~= expected then return {'moved', have} end`, ``,
		journalRoom),
	one("watermark moved ahead", "a crash between two scripts loses the rest of a slot",
		"internal/journal/create.go", `j.createChunk(ctx, now, occ, chunk, i == len(chunks)-1)`, `j.createChunk(ctx, now, occ, chunk, i == 0)`,
		journalRoom),
	one("one marker for all slots", "today's job is taken for yesterday's",
		"internal/planner/operation.go", `return MarkerPrefix + encode32(uint64(slot.Unix()), slotDigits)`, `return MarkerPrefix + encode32(0, slotDigits)`,
		plannerRoom, executorRoom),
	one("one identity for all slots", "a recurring purchase happens once",
		"internal/planner/operation.go", `slot.UTC().Format(slotLayout)`, `slotLayout`,
		plannerRoom),
	one("a lost journal is not noticed", "everything is bought again",
		"internal/operator/lost.go", `	if len(ids) == 0 {`, `	if true {`,
		operatorRoom),
}

var ofReadBacks = []mutant{
	one("a dead sender's call is sent again", "what it sent is bought twice",
		"internal/executor/readback.go", "\t\t\tOp: op, From: planner.Sending, To: planner.Unknown,", "\t\t\tOp: op, From: planner.Sending, To: planner.Queued,",
		executorRoom),
	one("absence after one read", "a request that lands late is made twice",
		"internal/executor/readback.go", `const readsForAbsence = 3`, `const readsForAbsence = 1`,
		executorRoom),
	one("no rest before a read-back", "a request that lands late is made twice",
		"internal/executor/readback.go", `if op.Due.After(now) {`, `if now.IsZero() {`,
		executorRoom),
	one("verdict from the balance alone", "a request that lands late is made twice",
		"internal/executor/readback.go", `	return e.decide(ctx, op, v)`,
		"\tif found, _ := e.balanceSays(ctx, op); found == notDone && v.finding != done {\n\t\treturn e.again(ctx, op, v)\n\t}\n\treturn e.decide(ctx, op, v)",
		executorRoom),
	one("the balance is not asked", "a purchase that no list shows yet is made again",
		"internal/executor/balance.go", `mine: missing >= op.Reserved`, `mine: false`,
		executorRoom),
	one("an old verdict on a new proof", "work is rated that nobody has looked at",
		"internal/executor/rate.go", `case a.Status == api.Pending && ProofDigest(a) == op.Rating.Proof:`, `case a.Status == api.Pending:`,
		executorRoom),
	one("seats taken for a total", "where the number tells the seats left, an addition is made twice",
		"internal/executor/seats.go", `	if total == left {`, `	if total == left || true {`,
		executorRoom),
	one("workers do not count", "seats taken meanwhile hide an addition, which is made again",
		"internal/executor/seats.go", `	k := max(0, after.Applications-before.Applications)`, `	k := 0`,
		executorRoom),
	one("refund computed", "the books differ from the account by the fees",
		"internal/executor/pause.go", `	if measured {`, `	if measured && false {`,
		executorRoom),
	one("a refund of two jobs", "one campaign's budget is given another's money back",
		"internal/executor/refund.go", `refundAtLeast(job, few) || refund > most {`, `refundAtLeast(job, few) {`,
		executorRoom),
	one("estimates stay", "the books differ from the account by the fees",
		"internal/journal/balance.lua", `int(drift + make_up(drift))`, `int(drift)`,
		journalRoom, executorRoom),
	one("any rise makes up for estimates", "a deposit is taken for a refund, and the budget spends it",
		"internal/journal/balance.lua", ` or missing > room`, ``,
		journalRoom),
	one("the quote's job is forgotten", "a job that a quote made is paid for, and made again",
		"internal/executor/quote.go", "	if ans.JobID != 0 {\n\t\tq.e.Log", "	ans.JobID = 0\n\tif ans.JobID != 0 {\n\t\tq.e.Log",
		executorRoom),
	one("jobs of a closed budget stay online", "a budget at its threshold is spent to the last seat",
		"internal/executor/outcome.go", `	return e.enforce(ctx, closed)`, `	return e.enforce(ctx, closed[:0])`,
		executorRoom),
}

var ofMoney = []mutant{
	one("float64 money", "sums drift by millionths",
		"campaigns/money/money.go", `	n, err := strconv.ParseInt("0"+whole+frac, 10, 64)`,
		"\tf, err := strconv.ParseFloat(\"0\"+whole+\".\"+frac, 64)\n\tn := int64(f * 1e6)",
		moneyRoom),
	one("shares rounded down", "a cost is told too small, and passes a cap",
		"campaigns/money/money.go", "	if r != 0 {\n\t\tq++\n\t}", "	_ = r",
		moneyRoom),
	one("a seventh decimal is dropped", "a price is paid that nobody wrote",
		"campaigns/money/money.go", `if strings.Trim(frac[Places:], "0") != "" {`, `if false {`,
		moneyRoom),
}
