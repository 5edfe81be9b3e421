package api

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// takeSeats is the reading that most rows use: seats added to job 15341.
func takeSeats(v any) error {
	_, err := readReceipt(v, 15341)
	return err
}

const seatsAdded = `{"result":"ok","cost":2.35,"job_id":15341}`

// verdict is what a row expects; the zero value is a success.
type verdict struct {
	Failed     bool
	Effect     Effect
	Reason     Reason
	Message    string
	RetryAfter time.Duration
}

type row struct {
	name string
	x    exchange
	want verdict
}

func maybe(r Reason, message ...string) verdict {
	return verdict{Failed: true, Reason: r, Message: strings.Join(message, "")}
}

func notApplied(r Reason, message ...string) verdict {
	return verdict{Failed: true, Effect: EffectNotApplied, Reason: r, Message: strings.Join(message, "")}
}

func rejected(r Reason, message string) verdict {
	return verdict{Failed: true, Effect: EffectRejected, Reason: r, Message: message}
}

func (v verdict) after(d time.Duration) verdict {
	v.RetryAfter = d
	return v
}

func jsonAnswer(status int, body string) exchange {
	return exchange{sent: true, status: status, body: []byte(body),
		header: http.Header{"Content-Type": {"application/json"}}}
}

func answerOf(status int, kind, body string) exchange {
	return exchange{sent: true, status: status, body: []byte(body), header: http.Header{"Content-Type": {kind}}}
}

func (x exchange) cut(err error) exchange {
	x.fault = err
	return x
}

func (x exchange) with(name, value string) exchange {
	x.header = x.header.Clone()
	x.header.Set(name, value)
	return x
}

func opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Err: err}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	total := 0
	names := make(map[string]bool)
	for _, rows := range [][]row{unsentRows(), brokenRows(), successRows(), unsoundRows(), failedRows(),
		refusalRows(), undecidedRows(), throttledRows()} {
		for _, r := range rows {
			total++
			if names[r.name] {
				t.Errorf("two rows are named %q", r.name)
			}
			names[r.name] = true
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				if diff := cmp.Diff(r.want, judge(r.x)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	if total < 120 {
		t.Errorf("%d rows, want at least 120", total)
	}
}

func judge(x exchange) verdict {
	e := classify(x, noon, takeSeats)
	if e == nil {
		return verdict{}
	}
	return verdict{true, e.Effect, e.Reason, e.Message, e.RetryAfter}
}

func unsentRows() []row {
	not := func(name string, err error, r Reason) row {
		return row{"unsent: " + name, exchange{fault: err}, notApplied(r)}
	}
	return []row{
		not("no such host", opError("dial", &net.DNSError{Err: "no such host", IsNotFound: true}), ReasonUnreachable),
		not("DNS timeout", opError("dial", &net.DNSError{Err: "timeout", IsTimeout: true}), ReasonTimeout),
		not("refused", opError("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)), ReasonUnreachable),
		not("no route", opError("dial", os.NewSyscallError("connect", syscall.EHOSTUNREACH)), ReasonUnreachable),
		not("dial timeout", opError("dial", os.ErrDeadlineExceeded), ReasonTimeout),
		not("TLS: unknown authority", x509.UnknownAuthorityError{}, ReasonUnreachable),
		not("TLS: wrong host", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}, ReasonUnreachable),
		not("TLS: end of stream", io.EOF, ReasonUnreachable),
		not("context canceled", context.Canceled, ReasonCanceled),
		not("context past its deadline", context.DeadlineExceeded, ReasonTimeout),
		not("wrapped cancel", fmt.Errorf("dial: %w", context.Canceled), ReasonCanceled),
		not("past SendBefore", errLate, ReasonDeadline),
		not("past SendBefore, wrapped", fmt.Errorf("write: %w", errLate), ReasonDeadline),
		not("stale connection, write took no byte", opError("write", syscall.EPIPE), ReasonUnreachable),
		not("an error that claims to be a success", errors.New("200 OK"), ReasonUnreachable),
		{"unsent: an unasked-for 200", exchange{status: 200, body: []byte(seatsAdded)}, notApplied(ReasonUnexpected)},
		{"unsent: an unasked-for 500", exchange{status: 500}, notApplied(ReasonUnexpected)},
		{"unsent: an unasked-for 200 past SendBefore", exchange{status: 200, fault: errLate, body: []byte(seatsAdded)},
			notApplied(ReasonDeadline)},
		{"unsent: nothing known at all", exchange{}, notApplied(ReasonUnexpected)},
	}
}

func brokenRows() []row {
	lost := func(name string, err error, r Reason) row {
		return row{"sent, no answer: " + name, exchange{sent: true, fault: err}, maybe(r)}
	}
	return []row{
		lost("reset", opError("read", syscall.ECONNRESET), ReasonBroken),
		lost("closed", io.EOF, ReasonBroken),
		lost("half a head", io.ErrUnexpectedEOF, ReasonBroken),
		lost("broken pipe in mid-request", opError("write", syscall.EPIPE), ReasonBroken),
		lost("timeout", context.DeadlineExceeded, ReasonTimeout),
		lost("timeout of the socket", opError("read", os.ErrDeadlineExceeded), ReasonTimeout),
		lost("canceled", context.Canceled, ReasonCanceled),
		lost("past SendBefore in mid-request", errLate, ReasonDeadline),
		lost("malformed answer", errors.New("malformed HTTP response"), ReasonBroken),
		lost("an error that claims a dial", errors.New("dial tcp: connection refused"), ReasonBroken),
		lost("a refused connection, yet a byte left", opError("dial", syscall.ECONNREFUSED), ReasonBroken),
		lost("no error at all", nil, ReasonBroken),
	}
}

func successRows() []row {
	ok := func(name string, x exchange) row { return row{"success: " + name, x, verdict{}} }
	return []row{
		ok("200", jsonAnswer(200, seatsAdded)),
		ok("201", jsonAnswer(201, seatsAdded)),
		ok("labelled as HTML", answerOf(200, "text/html; charset=UTF-8", seatsAdded)),
		ok("without a Content-Type", exchange{sent: true, status: 200, body: []byte(seatsAdded)}),
		ok("strings for numbers", jsonAnswer(200, `{"result":"ok","cost":"2.350000","job_id":"15341"}`)),
		ok("ok for result", jsonAnswer(200, `{"ok":1,"cost":2.35,"job_id":15341}`)),
		ok("ok as a string", jsonAnswer(200, `{"ok":"1","cost":2.35,"job_id":15341}`)),
		ok("ok as a boolean", jsonAnswer(200, `{"ok":true,"cost":2.35,"job_id":15341}`)),
		ok("in an array", jsonAnswer(200, `[`+seatsAdded+`]`)),
		ok("upper case", jsonAnswer(200, `{"result":"OK","cost":2.35,"job_id":15341}`)),
		ok("a trailing comma", jsonAnswer(200, `{"result":"ok","cost":2.35,"job_id":15341,}`)),
		ok("free of charge", jsonAnswer(200, `{"result":"ok","cost":0,"job_id":15341}`)),
		ok("empty errors", jsonAnswer(200, `{"result":"ok","errors":[],"error":null,"cost":2,"job_id":15341}`)),
		ok("more fields", jsonAnswer(200, `{"result":"ok","cost":2.35,"job_id":15341,"balance":"7"}`)),
		ok("a cost with an exponent", jsonAnswer(200, `{"result":"ok","cost":235e-2,"job_id":15341}`)),
		ok("a byte order mark", jsonAnswer(200, "\ufeff"+seatsAdded)),
		ok("seven decimals of which the last is 0", jsonAnswer(200, `{"result":"ok","cost":2.3500000,"job_id":15341}`)),
	}
}

func unsoundRows() []row {
	bad := func(name, body string) row {
		return row{"unsound 200: " + name, jsonAnswer(200, body), maybe(ReasonUnreadable)}
	}
	whole := jsonAnswer(200, seatsAdded)
	return []row{
		bad("empty", ``),
		bad("spaces", "  \n"),
		bad("a page", `<!doctype html><title>Log in</title>`),
		bad("cut", `{"result":"ok","cost":2.35,"job_id":153`),
		bad("two documents", seatsAdded+seatsAdded),
		bad("text behind", seatsAdded+`<br>Notice: undefined index`),
		bad("null", `null`),
		bad("true", `true`),
		bad("a number", `15341`),
		bad("a string", `"ok"`),
		bad("an empty object", `{}`),
		bad("an empty array", `[]`),
		bad("two in an array", `[`+seatsAdded+`,`+seatsAdded+`]`),
		bad("no result", `{"cost":2.35,"job_id":15341}`),
		bad("result null", `{"result":null,"cost":2.35,"job_id":15341}`),
		bad("result empty", `{"result":"","cost":2.35,"job_id":15341}`),
		bad("result 1", `{"result":1,"cost":2.35,"job_id":15341}`),
		bad("ok 2", `{"ok":2,"cost":2.35,"job_id":15341}`),
		bad("another job", `{"result":"ok","cost":2.35,"job_id":15342}`),
		bad("no job", `{"result":"ok","cost":2.35}`),
		bad("job 0", `{"result":"ok","cost":2.35,"job_id":0}`),
		bad("job false", `{"result":"ok","cost":2.35,"job_id":false}`),
		bad("job negative", `{"result":"ok","cost":2.35,"job_id":-15341}`),
		bad("job with an exponent", `{"result":"ok","cost":2.35,"job_id":1.5341e4}`),
		bad("job a fraction", `{"result":"ok","cost":2.35,"job_id":15341.5}`),
		bad("no cost", `{"result":"ok","job_id":15341}`),
		bad("cost null", `{"result":"ok","cost":null,"job_id":15341}`),
		bad("cost empty", `{"result":"ok","cost":"","job_id":15341}`),
		bad("cost negative", `{"result":"ok","cost":-2.35,"job_id":15341}`),
		bad("cost of seven decimals", `{"result":"ok","cost":2.3500001,"job_id":15341}`),
		bad("cost with an exponent beyond six decimals", `{"result":"ok","cost":2.35e-7,"job_id":15341}`),
		bad("cost beyond all measure", `{"result":"ok","cost":1e400,"job_id":15341}`),
		bad("cost of ten million", `{"result":"ok","cost":10000000,"job_id":15341}`),
		bad("cost with a currency", `{"result":"ok","cost":"$2.35","job_id":15341}`),
		bad("cost with a comma", `{"result":"ok","cost":"2,35","job_id":15341}`),
		bad("cost NaN", `{"result":"ok","cost":"NaN","job_id":15341}`),
		bad("cost true", `{"result":"ok","cost":true,"job_id":15341}`),
		bad("cost in an object", `{"result":"ok","cost":{"usd":2.35},"job_id":15341}`),
		bad("cost twice", `{"result":"ok","cost":2.35,"cost":23.5,"job_id":15341}`),
		bad("cost twice, once in capitals", `{"result":"ok","cost":2.35,"Cost":23.5,"job_id":15341}`),
		bad("job twice with a long s", `{"result":"ok","cost":2.35,"job_id":15341,"coſt":1}`),
		bad("too deep", strings.Repeat("[", 100)+strings.Repeat("]", 100)),
		bad("far too deep", strings.Repeat("[", 20000)+strings.Repeat("]", 20000)),
		bad("two trailing commas", `{"result":"ok","cost":2.35,"job_id":15341,,}`),
		bad("single quotes", `{'result':'ok','cost':2.35,'job_id':15341}`),
		bad("two byte order marks", "\ufeff\ufeff"+seatsAdded),
		{"unsound 204: nothing", exchange{sent: true, status: 204}, maybe(ReasonUnreadable)},
		{"unsound 200: cut by the peer", whole.cut(io.ErrUnexpectedEOF), maybe(ReasonBroken)},
		{"unsound 200: cut by the clock", whole.cut(context.DeadlineExceeded), maybe(ReasonTimeout)},
		{"unsound 200: cut by the caller", whole.cut(context.Canceled), maybe(ReasonCanceled)},
		{"unsound 200: too long", whole.cut(errTooLong), maybe(ReasonUnreadable)},
		{"unsound 200: bad gzip", whole.cut(errors.New("gzip: invalid header")), maybe(ReasonBroken)},
	}
}

func failedRows() []row {
	says := func(body, message string) row {
		return row{"200 that failed: " + body, jsonAnswer(200, body), maybe(ReasonFailed, message)}
	}
	return []row{
		says(`{"result":"error","message":"Not enough balance"}`, "Not enough balance"),
		says(`{"result":"error"}`, ""),
		says(`{"result":"insufficient balance"}`, "insufficient balance"),
		says(`{"result":false,"reason":"closed"}`, "closed"),
		says(`{"ok":0,"error":"no"}`, "no"),
		says(`[{"ok":"0"}]`, ""),
		says(`{"success":false,"msg":"later"}`, "later"),
		says(`{"status":"error","message":"a"}`, "a"),
		says(`{"status":"failed","message":"b"}`, "b"),
		says(`{"error":{"message":"inner","code":5}}`, "inner"),
		says(`{"errors":{"price":["too low"]}}`, "price: too low"),
		says(`{"result":"ok","error":"charged?","cost":2.35,"job_id":15341}`, "charged?"),
		says(`{"result":"error","cost":2.35,"job_id":15341,"message":"x"}`, "x"),
		says(`{"error":true}`, ""),
		says(`{"error":1}`, ""),
	}
}

func refusalRows() []row {
	var rows []row
	for _, status := range []int{400, 402, 403, 404, 405, 406, 410, 413, 415, 422} {
		reason := ReasonRefused
		if status == 404 || status == 410 {
			reason = ReasonNotFound
		}
		rows = append(rows,
			row{fmt.Sprint(status, " with JSON"), jsonAnswer(status, `{"message":"why"}`), rejected(reason, "why")},
			row{fmt.Sprint(status, " with plain text"), answerOf(status, "text/plain; charset=utf-8", "why\n"), rejected(reason, "why")},
			row{fmt.Sprint(status, " with a page"), answerOf(status, "text/html", "<html>why</html>"), maybe(ReasonUnexpected)},
			row{fmt.Sprint(status, " with nothing"), answerOf(status, "application/json", ""), maybe(ReasonUnexpected)},
			row{fmt.Sprint(status, " cut"), jsonAnswer(status, `{"message":"why"}`).cut(io.ErrUnexpectedEOF), maybe(ReasonUnexpected, "why")})
	}
	no := func(body, message string) row {
		return row{"422 " + body, jsonAnswer(422, body), rejected(ReasonRefused, message)}
	}
	return append(rows,
		no(`{"error":"e"}`, "e"), no(`{"reason":"r"}`, "r"), no(`{"result":"not enough balance"}`, "not enough balance"),
		no(`{"result":"error","message":"m"}`, "m"), no(`{"error":{"message":"in"}}`, "in"), no(`{"msg":"short"}`, "short"),
		no(`{"errors":["a","b"]}`, "a; b"), no(`{"errors":{"title":["is empty","is short"]}}`, "title: is empty; title: is short"),
		no(`{"message":"bad","errors":{"price":"low"}}`, "bad; price: low"), no(`{"message":"m","error":"m"}`, "m"),
		no(`{}`, ""), no(`[]`, ""), no(`{"code":7}`, ""), no(`"words"`, "words"), no(`{"detail":"d",}`, "d"),
		no(`{"message":"line\nbreak\u0007 \u202eturned"}`, "line break turned"),
		no(`{"message":"`+strings.Repeat("ü", 400)+`"}`, strings.Repeat("ü", 299)+"…"),
		row{"422 as JSON labelled HTML", answerOf(422, "text/html", `{"message":"m"}`), rejected(ReasonRefused, "m")},
		row{"422 as a page labelled JSON", jsonAnswer(422, `<html>`), maybe(ReasonUnexpected)},
		row{"422 as a page labelled text", answerOf(422, "text/plain", `<html>`), maybe(ReasonUnexpected)},
		row{"422 as a page in a JSON string", jsonAnswer(422, `"<html>"`), maybe(ReasonUnexpected, "<html>")},
		row{"422 as a long text", answerOf(422, "text/plain", strings.Repeat("a ", 600)), maybe(ReasonUnexpected)},
		row{"422 as no text", answerOf(422, "text/plain", "\xff\xfe"), maybe(ReasonUnexpected)},
		row{"422 without a type", exchange{sent: true, status: 422, body: []byte("why")}, maybe(ReasonUnexpected)},
		row{"422 that says it was done", jsonAnswer(422, seatsAdded), maybe(ReasonUnexpected)},
		row{"422 that says it was done in an array", jsonAnswer(422, `[{"ok":1}]`), maybe(ReasonUnexpected)},
		row{"422 null", jsonAnswer(422, `null`), maybe(ReasonUnexpected)},
		row{"422 with a name twice", jsonAnswer(422, `{"a":1,"A":2}`), maybe(ReasonUnexpected)},
	)
}

func undecidedRows() []row {
	var rows []row
	for _, status := range []int{408, 409, 425, 499, 417, 418, 423, 428, 431, 451} {
		rows = append(rows, row{fmt.Sprint(status, " decides nothing"), jsonAnswer(status, `{"message":"m"}`),
			maybe(ReasonUnexpected, "m")})
	}
	for _, status := range []int{500, 501, 502, 503, 504, 507, 520, 522, 524, 599} {
		rows = append(rows, row{fmt.Sprint(status, " decides nothing"), jsonAnswer(status, `{"message":"m"}`),
			maybe(ReasonServer, "m")})
	}
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		rows = append(rows, row{fmt.Sprint(status, " decides nothing"),
			jsonAnswer(status, seatsAdded).with("Location", "https://hiretalents.com/login?next=x"),
			maybe(ReasonRedirected, `to https host "hiretalents.com"`)})
	}
	return append(rows,
		row{"302 on the same host", jsonAnswer(302, "").with("Location", "/login"),
			maybe(ReasonRedirected, "to another path of the same host")},
		row{"302 to nowhere", jsonAnswer(302, ""), maybe(ReasonRedirected, "no usable Location")},
		row{"302 to no URL", jsonAnswer(302, "").with("Location", "http://[::1"), maybe(ReasonRedirected, "no usable Location")},
		row{"500 that says it was done", jsonAnswer(500, seatsAdded), maybe(ReasonServer)},
		row{"500 with a page", answerOf(500, "text/html", "<h1>Whoops</h1>"), maybe(ReasonServer)},
		row{"101 decides nothing", jsonAnswer(101, ""), maybe(ReasonUnexpected)},
		row{"600 decides nothing", jsonAnswer(600, seatsAdded), maybe(ReasonUnexpected)},
		row{"999 decides nothing", jsonAnswer(999, seatsAdded), maybe(ReasonUnexpected)},
		row{"503 keeps its Retry-After", jsonAnswer(503, `{}`).with("Retry-After", "120"),
			maybe(ReasonServer).after(2 * time.Minute)},
	)
}

func throttledRows() []row {
	wait := func(header string, want time.Duration) row {
		return row{fmt.Sprintf("429, Retry-After %q", header), jsonAnswer(429, `{"message":"Too Many Attempts."}`).
			with("Retry-After", header), notApplied(ReasonRateLimited, "Too Many Attempts.").after(want)}
	}
	date := func(d time.Duration) string { return noon.Add(d).Format(http.TimeFormat) }
	return []row{
		wait("30", 30*time.Second), wait("0", 0), wait(" 7 ", 7*time.Second), wait("3600", time.Hour),
		wait("3601", time.Hour), wait("315360000", time.Hour), wait("99999999999999999999", time.Hour),
		wait("-5", 0), wait("", 0), wait("soon", 0), wait("1.5", 0), wait("1e9", 0),
		wait(date(45*time.Second), 45*time.Second), wait(date(-time.Hour), 0), wait(date(240*time.Hour), time.Hour),
		wait(noon.Add(time.Minute).Format(time.RFC850), time.Minute),
		{"429 with a page", answerOf(429, "text/html", "<html>"), notApplied(ReasonRateLimited)},
		{"429 cut", jsonAnswer(429, `{"mess`).cut(io.ErrUnexpectedEOF), notApplied(ReasonRateLimited)},
		{"401 with JSON", jsonAnswer(401, `{"message":"Unauthenticated."}`), notApplied(ReasonUnauthorized, "Unauthenticated.")},
		{"401 with a page", answerOf(401, "text/html", "<html>"), notApplied(ReasonUnauthorized)},
		{"401 with nothing", answerOf(401, "", ""), notApplied(ReasonUnauthorized)},
		{"401 with words", answerOf(401, "text/plain", "who are you?"), notApplied(ReasonUnauthorized, "who are you?")},
	}
}
