package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// mayRefuse is the list of classify's rules written once more, as a table of
// statuses: what is not in it never has another effect than unknown.
var mayRefuse = map[int]Effect{401: EffectNotApplied, 429: EffectNotApplied,
	400: EffectRejected, 402: EffectRejected, 403: EffectRejected, 404: EffectRejected, 405: EffectRejected,
	406: EffectRejected, 410: EffectRejected, 413: EffectRejected, 415: EffectRejected, 422: EffectRejected}

func FuzzClassify(f *testing.F) {
	for _, rows := range [][]row{unsentRows(), brokenRows(), successRows(), unsoundRows(), failedRows(),
		refusalRows(), undecidedRows(), throttledRows()} {
		for _, r := range rows {
			f.Add(r.x.sent, 0, r.x.status, r.x.header.Get("Content-Type"), r.x.header.Get("Retry-After"), r.x.body)
		}
	}
	faults := []error{nil, io.EOF, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded, errLate,
		errTooLong, errors.New("dial tcp: connection refused")}
	f.Fuzz(func(t *testing.T, sent bool, fault, status int, kind, after string, body []byte) {
		x := exchange{sent: sent, status: status, body: body, fault: faults[uint(fault)%uint(len(faults))],
			header: http.Header{"Content-Type": {kind}, "Retry-After": {after}}}
		e := classify(x, noon, takeSeats)
		if e == nil {
			checkSuccess(t, x)
			return
		}
		checkEffect(t, x, e)
		if e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter {
			t.Errorf("RetryAfter %s", e.RetryAfter)
		}
		if len([]rune(e.Message)) > maxMessage || strings.ContainsAny(e.Message, "\x00\n\r\x1b\u202e") {
			t.Errorf("message %q", e.Message)
		}
	})
}

// checkSuccess: a success is a whole 2xx that holds the words of one.
func checkSuccess(t *testing.T, x exchange) {
	t.Helper()
	body := strings.ToLower(string(x.body))
	if !x.sent || x.fault != nil || x.status < 200 || x.status > 299 || !strings.Contains(body, "ok") ||
		!strings.Contains(body, "cost") && !strings.Contains(body, `\u`) {
		t.Errorf("taken for a success: %+v %q", x, x.body)
	}
}

func checkEffect(t *testing.T, x exchange, e *Error) {
	t.Helper()
	switch {
	case !x.sent:
		if e.Effect != EffectNotApplied {
			t.Errorf("nothing was sent, yet %s", e.Effect)
		}
	case e.Effect == EffectUnknown:
		if mayRefuse[x.status] == EffectNotApplied {
			t.Errorf("status %d is unknown", x.status)
		}
	case e.Effect != mayRefuse[x.status]:
		t.Errorf("status %d is %s", x.status, e.Effect)
	case e.Effect == EffectRejected:
		body := strings.TrimSpace(string(x.body))
		if x.fault != nil || body == "" || strings.HasPrefix(body, "<") {
			t.Errorf("rejected by fault %v and body %q", x.fault, body)
		}
	}
}

// FuzzParse: what parses is JSON or JSON with trailing commas, and is written
// back as the same tree.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `null`, `"a"`, `1e400`, `{"a":1,}`, `[1,2,]`, `{"a":",}"}`, `{"a":1,"A":2}`,
		`"\ud800"`, "{\"a\":\"\\\",]\"}", `[[[[1]]]]`, `{"\u0061":1,"a":2}`, `[,]`, `{,}`, "[1 ,\t\n]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			return
		}
		written := appendValue(nil, v)
		again, err := parse(written)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", b, written, err)
		}
		if !reflect.DeepEqual(v, again) {
			t.Errorf("%q was read as %v, written and read again as %v", b, v, again)
		}
		if !json.Valid(b) && !json.Valid(dropTrailingCommas(b)) {
			t.Errorf("%q parses", b)
		}
	})
}

// readBack asserts that what a type reads it writes in true types, and reads
// again as the same value.
func readBack[T any, P recordOf[T]](t *testing.T, v any) {
	t.Helper()
	var first, second T
	if readRecord(v, P(&first)) != nil {
		return
	}
	b, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("%+v does not marshal: %v", first, err)
	}
	if err := json.Unmarshal(b, &second); err != nil {
		t.Fatalf("%s does not unmarshal: %v", b, err)
	}
	again, err := json.Marshal(second)
	if err != nil || string(again) != string(b) {
		t.Errorf("printed %s, then %s (%v)", b, again, err)
	}
	clearRaw(&first)
	clearRaw(&second)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("read %+v, then %+v", first, second)
	}
}

func clearRaw(record any) {
	reflect.ValueOf(record).Elem().FieldByName("Raw").SetZero()
}

func FuzzRecords(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"current_balance":"100.000000","active":"1","gender":null,"x":[1,{"y":2}]}`,
		`{"id":"15341","total_app":0,"availseats":"24.0","price":0.2,"country":["1",2],"expected":"[\"a\"]","proof":[{"desc":"a","type":"text"},"b"],"started":0,"status":1,"created_at":"2022-03-18T00:34:05.123456789+03:00"}`,
		`{"id":1,"jobid":2,"status":4,"screenshot":"[\"a\"]","screenshot_url":"b","proof":{"a":1},"appdate":"2022-03-18 00:34:05"}`,
		`{"country_id":"1269750","name":7,"code":null}`,
		`{"id":"9","title":"t","cost":"0.10","parent":"","subcat":{"1":{"id":2,"cost":1}}}`,
		`{"id":1234,"title":"","user_id":"x","created_at":-1}`,
		`{"worker_id":"153456789","note":false,"team_id":1.0}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			return
		}
		readBack[Account](t, v)
		readBack[Job](t, v)
		readBack[Application](t, v)
		readBack[Country](t, v)
		readBack[Category](t, v)
		readBack[Team](t, v)
		readBack[TeamMember](t, v)
	})
}

// FuzzAnswers: the readings of lists, categories, receipts and quotes survive
// everything, and what they accept has what a decision needs.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{seatsAdded, `{"cost":"4.875"}`, `{"result":"ok","job_id":5}`, `[]`, `{}`, `{"data":[]}`,
		`{"1":{"id":9,"cost":0.1,"subcat":[{"id":47,"cost":0.8,"subcat":[]}]}}`, `{"data":{"data":{"data":[]}}}`,
		`[{"id":1,"jobid":2,"status":4}]`, `{"jobs":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			return
		}
		if r, err := readReceipt(v, 0); err == nil && (r.JobID <= 0 || r.Cost < 0) {
			t.Errorf("receipt %+v of %q", r, b)
		}
		if q, err := readQuote(v); err == nil && q.Cost < 0 {
			t.Errorf("quote %+v of %q", q, b)
		}
		if all, err := readApplications(v, 2); err == nil && len(all) == 0 && !strings.Contains(string(b), "[") {
			t.Errorf("no applications, by %q", b)
		}
		if all, err := readCategories(v); err == nil && len(all) == 0 && !strings.Contains(string(b), "[") {
			t.Errorf("no categories, by %q", b)
		}
		_, _ = readRows[Job](v, "jobs")
		_ = readDone(v, "job_id", 1)
		_, _ = readOne(v, "job", func(j *Job) int64 { return j.ID }, 1)
	})
}
