package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/time/rate"
)

const (
	callbackRoute = "POST /callbacks/hiretalents/{secret}"
	// Hints a second, and at once, that are handed on. What is above them is
	// answered alike and dropped: polling finds it.
	hintsPerSecond = 20
	hintsAtOnce    = 100
)

// Hint is what a callback claims. It carries no signature: a reason to look,
// never a fact.
type Hint struct {
	// Event is "job-finished", "new-application" or another short word.
	Event string
	JobID int64
	// ApplicationID is 0 where the event is not about one.
	ApplicationID int64
}

// callbacks answers 204 to the right secret, whatever it brought, and 404 to
// everything else.
func (c *console) callbacks() http.HandlerFunc {
	want := sha256.Sum256([]byte(c.CallbackSecret.Reveal()))
	limit := rate.NewLimiter(hintsPerSecond, hintsAtOnce)
	on := c.CallbackSecret.IsSet() && c.OnCallback != nil
	return func(w http.ResponseWriter, r *http.Request) {
		if !sameSecret(want, r.PathValue("secret")) || !on {
			http.NotFound(w, r)
			return
		}
		hint, ok := readHint(r.Header.Get("Content-Type"), http.MaxBytesReader(w, r.Body, maxForm))
		if ok && limit.AllowN(c.Now(), 1) {
			c.OnCallback(r.Context(), hint)
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// readHint reads JSON or a form of either encoding, since which one is sent is
// not documented. It is false for what names no job.
func readHint(kind string, body io.Reader) (Hint, bool) {
	b, err := io.ReadAll(body)
	if err != nil {
		return Hint{}, false
	}
	var get func(string) string
	media, params, _ := mime.ParseMediaType(kind)
	switch b = bytes.TrimSpace(b); {
	case bytes.HasPrefix(b, []byte("{")):
		get = jsonFields(b)
	case media == "multipart/form-data":
		get = multipartFields(b, params["boundary"])
	default:
		values, _ := url.ParseQuery(string(b)) // what was readable is good enough for a hint
		get = values.Get
	}
	h := Hint{Event: get("event"), JobID: number(get("job_id")), ApplicationID: number(get("application_id"))}
	return h, h.JobID > 0 && isWord(h.Event)
}

// jsonFields reads numbers that come as numbers or as strings.
func jsonFields(b []byte) func(string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return func(string) string { return "" }
	}
	return func(name string) string { return strings.Trim(string(fields[name]), `"`) }
}

func multipartFields(b []byte, boundary string) func(string) string {
	form, err := multipart.NewReader(bytes.NewReader(b), boundary).ReadForm(maxForm)
	if err != nil {
		return func(string) string { return "" }
	}
	return url.Values(form.Value).Get
}

// number is an id, or 0.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// isWord tells whether an event is a name such as the documented ones.
func isWord(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	return s != "" && len(s) <= 40 && strings.Trim(s, letters) == ""
}
