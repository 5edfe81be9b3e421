package sandbox

import (
	"bytes"
	"compress/gzip"
	"html"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answerOddly sends the answer of a call that was applied, distorted as its
// fault wants it.
func (x *exchange) answerOddly(a answer) {
	switch x.c.fault.Kind {
	case Status500After:
		x.send(serverError())
	case Status502After:
		x.write(http.StatusBadGateway, "text/html; charset=utf-8", page("502 Bad Gateway"))
	case HTMLAfter:
		x.write(http.StatusOK, "text/html; charset=utf-8", page("We will be back soon"))
	case TruncatedAfter:
		x.truncate(a)
	case MalformedAfter:
		x.malform(a)
	case Slow:
		x.dribble(a, or(x.c.fault.Delay, 5*time.Second))
	case Huge:
		x.flood()
	case GzipBomb:
		x.bomb()
	default:
		x.send(distort(a, x.c.fault.Kind))
	}
}

// distort changes single fields of a success.
func distort(a answer, kind Kind) answer {
	r, ok := a.body.(result)
	if !ok {
		return a
	}
	switch kind {
	case WrongJobID:
		r.jobID++
	case CostMissing:
		r.hasCost = false
	case CostString:
		r.costAsString = true
	}
	a.body = r
	return a
}

// truncate promises the whole answer and sends half; the server then closes
// the connection.
func (x *exchange) truncate(a answer) {
	body := x.s.encode(a.body)
	x.start(a.status, strconv.Itoa(len(body)))
	_, _ = x.w.Write(body[:len(body)/2])
}

// malform leaves out the last bracket and adds what a PHP notice looks like.
func (x *exchange) malform(a answer) {
	body := x.s.encode(a.body)
	body = append(body[:len(body)-1], "<br />\nWarning: Undefined variable"...)
	x.write(a.status, "application/json", body)
}

func (x *exchange) start(status int, length string) {
	x.s.traffic.end(x.c, status)
	x.w.Header().Set("Content-Type", "application/json")
	if length != "" {
		x.w.Header().Set("Content-Length", length)
	}
	x.w.WriteHeader(status)
}

// dribble sends the answer byte by byte.
func (x *exchange) dribble(a answer, over time.Duration) {
	body := x.s.encode(a.body)
	x.start(a.status, strconv.Itoa(len(body)))
	flush := http.NewResponseController(x.w)
	for i := range body {
		x.s.delay(x.r.Context(), over/time.Duration(len(body)))
		_, err := x.w.Write(body[i : i+1])
		if err != nil || flush.Flush() != nil {
			return
		}
	}
}

const (
	floodSize = 32 << 20
	bombSize  = 64 << 20
)

// flood sends well-formed JSON that is far too long.
func (x *exchange) flood() {
	x.start(http.StatusOK, "")
	_, _ = io.WriteString(x.w, `{"result":"ok","note":"`)
	chunk := bytes.Repeat([]byte("a"), 64<<10)
	for range floodSize / len(chunk) {
		if _, err := x.w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = io.WriteString(x.w, `"}`)
}

func (x *exchange) bomb() {
	x.w.Header().Set("Content-Encoding", "gzip")
	packed := gzipBomb()
	x.start(http.StatusOK, strconv.Itoa(len(packed)))
	_, _ = x.w.Write(packed)
}

// gzipBomb is packed once, when it is first needed.
var gzipBomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	// Writing to memory does not fail.
	_, _ = io.WriteString(w, `{"result":"ok","note":"`)
	chunk := bytes.Repeat([]byte("a"), 64<<10)
	for range bombSize / len(chunk) {
		_, _ = w.Write(chunk)
	}
	_, _ = io.WriteString(w, `"}`)
	_ = w.Close()
	return packed.Bytes()
})

// page is a web page where JSON was expected.
func page(text string) []byte {
	text = html.EscapeString(text)
	return []byte("<!DOCTYPE html>\n<html><head><title>" + text + "</title></head><body><h1>" +
		text + "</h1></body></html>\n")
}
