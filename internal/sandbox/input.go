package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// input is what a request sends, read as loosely as the marketplace does:
// numbers may be strings, flags 0, 1, "0", "1", true or false. Reading a field
// notes what is wrong with it; failure tells all of it at once.
type input struct {
	fields map[string]any
	faults []fieldFault
}

type fieldFault struct{ field, message string }

// parseInput reads a JSON object, whatever the content type says, since the
// reference's samples send none; anything else is read as a form. What is
// neither is an empty input, so that validation tells what is missing.
func parseInput(body []byte) input {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return input{}
	}
	if body[0] != '{' {
		return input{fields: parseForm(string(body))}
	}
	fields, err := parseObject(body)
	if err != nil {
		fields, _ = parseObject(trailingComma.ReplaceAll(body, []byte("$1")))
	}
	return input{fields: fields}
}

// trailingComma finds what two of the reference's own samples send.
var trailingComma = regexp.MustCompile(`,\s*([}\]])`)

func parseObject(body []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var fields map[string]any
	err := dec.Decode(&fields)
	return fields, err
}

func parseForm(body string) map[string]any {
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil
	}
	fields := make(map[string]any, len(values))
	for name, list := range values {
		short, isList := strings.CutSuffix(name, "[]")
		if !isList {
			fields[name] = list[len(list)-1]
			continue
		}
		items := make([]any, len(list))
		for i, v := range list {
			items[i] = v
		}
		fields[short] = items
	}
	return fields
}

// has tells whether the field was sent and is not null or empty.
func (in *input) has(name string) bool {
	v, ok := in.fields[name]
	return ok && v != nil && v != ""
}

func (in *input) fault(name, format string, args ...any) {
	label := strings.ReplaceAll(name, "_", " ")
	message := "The " + label + " " + fmt.Sprintf(format, args...)
	in.faults = append(in.faults, fieldFault{name, message})
}

// need notes a missing field.
func (in *input) need(name string) bool {
	if !in.has(name) {
		in.fault(name, "field is required.")
		return false
	}
	return true
}

func (in *input) text(name string) string {
	if !in.need(name) {
		return ""
	}
	s, ok := in.fields[name].(string)
	if !ok {
		in.fault(name, "must be a string.")
	}
	return s
}

// whole reads a required integer within bounds.
func (in *input) whole(name string, low, high int64) int64 {
	if !in.need(name) {
		return low
	}
	n, err := strconv.ParseInt(scalar(in.fields[name]), 10, 64)
	switch {
	case err != nil:
		in.fault(name, "must be an integer.")
	case n < low:
		in.fault(name, "must be at least %d.", low)
	case n > high:
		in.fault(name, "must not be greater than %d.", high)
	}
	return n
}

func (in *input) amount(name string) money.USD {
	if !in.need(name) {
		return 0
	}
	a, err := money.Parse(scalar(in.fields[name]))
	if err != nil || a <= 0 {
		in.fault(name, "must be a positive number with at most 6 decimals.")
	}
	return a
}

// flag is false unless the field says otherwise.
func (in *input) flag(name string) bool {
	if !in.has(name) {
		return false
	}
	switch scalar(in.fields[name]) {
	case "1", "true":
		return true
	case "0", "false":
	default:
		in.fault(name, "field must be true or false.")
	}
	return false
}

// wantsQuote tells a quote from a create, before anything is checked.
func (in *input) wantsQuote() bool {
	flag := scalar(in.fields["get_cost"])
	return flag == "1" || flag == "true"
}

// scalar is the text of a string, number or boolean; "" of anything else.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// list reads a non-empty array, also one inside a string.
func (in *input) list(name string) []any {
	if !in.need(name) {
		return nil
	}
	v := in.fields[name]
	if s, ok := v.(string); ok {
		var inner []any
		if json.Unmarshal([]byte(s), &inner) == nil {
			v = inner
		}
	}
	items, ok := v.([]any)
	if !ok || len(items) == 0 {
		in.fault(name, "must be an array.")
	}
	return items
}

func (in *input) steps() []string {
	var steps []string
	for i, v := range in.list("expected") {
		s, ok := v.(string)
		if !ok || s == "" {
			in.fault(fmt.Sprintf("expected.%d", i), "must be a string.")
		}
		steps = append(steps, s)
	}
	return steps
}

// lastStep is the last of the steps as they were sent, or "".
func (in *input) lastStep() string {
	items, _ := in.fields["expected"].([]any)
	if len(items) == 0 {
		return ""
	}
	return scalar(items[len(items)-1])
}

func (in *input) proofs(automated bool) []Proof {
	var proofs []Proof
	for i, v := range in.list("proof") {
		fields, _ := v.(map[string]any)
		p := Proof{scalar(fields["desc"]), scalar(fields["type"])}
		if p.Desc == "" {
			in.fault(fmt.Sprintf("proof.%d.desc", i), "field is required.")
		}
		if !proofType(p.Type, automated) {
			in.fault(fmt.Sprintf("proof.%d.type", i), "is invalid.")
		}
		proofs = append(proofs, p)
	}
	return proofs
}

func proofType(word string, automated bool) bool {
	switch word {
	case "text", "image":
		return true
	case "send_tweet", "like_tweet", "tweeter_followers":
		return automated
	}
	return false
}

// limit reads job_limit as it is documented, or hourly_limit as the samples
// send it. Neither is no limit.
func (in *input) limit() Limit {
	if in.has("hourly_limit") {
		return Limit{in.whole("hourly_limit", 1, maxSeats), time.Hour}
	}
	if !in.has("job_limit") {
		return Limit{}
	}
	fields, ok := in.fields["job_limit"].(map[string]any)
	if !ok {
		in.fault("job_limit", "must be an array.")
		return Limit{}
	}
	n, err := strconv.ParseInt(scalar(fields["limit"]), 10, 64)
	if err != nil || n < 1 {
		in.fault("job_limit.limit", "must be at least 1.")
	}
	switch scalar(fields["duration"]) {
	case "hourly":
		return Limit{n, time.Hour}
	case "daily":
		return Limit{n, 24 * time.Hour}
	}
	in.fault("job_limit.duration", "is invalid.")
	return Limit{}
}

// country is the text that reads back as a job's country.
func (in *input) country() string {
	if !in.need("country") {
		return ""
	}
	if s := scalar(in.fields["country"]); s == "INT" || s == "0" {
		return s
	}
	var chosen []string
	for _, v := range in.list("country") {
		id, err := strconv.ParseInt(scalar(v), 10, 64)
		if err != nil || !knownCountry(id) {
			in.fault("country", "is invalid: %s.", scalar(v))
			return ""
		}
		chosen = append(chosen, strconv.FormatInt(id, 10))
	}
	text, err := json.Marshal(chosen)
	if err != nil {
		return ""
	}
	return string(text)
}
