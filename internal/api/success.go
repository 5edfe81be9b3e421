package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// only is the object of an answer, bare or as the single item of an array:
// the reference has both for one and the same thing.
func only(v any) (*object, bool) {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	o, ok := v.(*object)
	return o, ok
}

// failure tells whether an answer says of itself that it failed, and why.
func failure(v any) (message string, failed bool) {
	o, ok := only(v)
	if !ok {
		return "", false
	}
	for _, name := range []string{"result", "ok", "success", "status"} {
		flag, has := o.get(name)
		failed = failed || has && denies(name, flag)
	}
	for _, name := range []string{"error", "errors"} {
		v, _ := o.get(name)
		failed = failed || something(v)
	}
	if !failed {
		return "", false
	}
	return clean(strings.Join(words(o, 0), "; ")), true
}

// denies reads one flag. status is a number in sound answers, and only a word
// of failure counts there.
func denies(name string, v any) bool {
	word, isText := v.(string)
	switch name {
	case "status":
		return isText && (strings.EqualFold(word, "error") || strings.HasPrefix(strings.ToLower(word), "fail"))
	case "result":
		if isText {
			return word != "" && !strings.EqualFold(word, "ok")
		}
	}
	return v == false || v == json.Number("0") || word == "0" || strings.EqualFold(word, "false")
}

// something tells whether v holds anything at all.
func something(v any) bool {
	switch t := v.(type) {
	case nil:
		return false
	case bool:
		return t
	case string:
		return t != "" && t != "0"
	case json.Number:
		return t != "0"
	case []any:
		return len(t) > 0
	case *object:
		return len(t.members) > 0
	}
	return true
}

// succeeded is nil for {"result":"ok"}, {"ok":1} and [{"ok":1}], whatever else
// they hold, unless they also say that they failed.
func succeeded(v any) error {
	o, ok := only(v)
	if !ok {
		return errors.New("it holds no result")
	}
	if _, failed := failure(o); failed {
		return errors.New("it says that it failed")
	}
	result, _ := o.get("result")
	if word, isText := result.(string); isText && strings.EqualFold(word, "ok") {
		return nil
	}
	var done flag
	v, has := o.get("ok")
	if has && done.read(v) == nil && bool(done) {
		return nil
	}
	return errors.New("it does not say that it was done")
}

// Receipt is what a purchase of seats answers.
type Receipt struct {
	JobID int64
	// Cost is what was charged, fees included, in USD.
	Cost money.USD
}

// MarshalJSON writes the receipt in the API's own names, the cost as a number.
func (r Receipt) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"result":"ok","cost":%s,"job_id":%d}`, r.Cost, r.JobID), nil
}

// readReceipt takes the answer of a purchase. job is the one addressed, or 0
// where the answer names it. Without a cost or a job's id an answer proves no
// purchase.
func readReceipt(v any, job int64) (Receipt, error) {
	if err := succeeded(v); err != nil {
		return Receipt{}, err
	}
	o, _ := only(v)
	id, err := answeredID(o, "job_id")
	if err != nil {
		return Receipt{}, err
	}
	if id <= 0 || (job != 0 && id != job) {
		return Receipt{}, fmt.Errorf("it is about job %d", id)
	}
	cost, err := answeredCost(o)
	return Receipt{JobID: id, Cost: cost}, err
}

// readDone takes the answer of a call that costs nothing. name is the member
// that, if it is there, must hold id.
func readDone(v any, name string, id int64) error {
	if err := succeeded(v); err != nil {
		return err
	}
	o, _ := only(v)
	answered, err := answeredID(o, name)
	if err != nil {
		return err
	}
	if answered != 0 && answered != id {
		return fmt.Errorf("its %s is %d", name, answered)
	}
	return nil
}

// answeredID is 0 where the answer has no such id.
func answeredID(o *object, name string) (int64, error) {
	v, _ := o.get(name)
	if v == false {
		return 0, nil
	}
	var id whole
	if err := id.read(v); err != nil {
		return 0, fmt.Errorf("its %s: %w", name, err)
	}
	return int64(id), nil
}

func answeredCost(o *object) (money.USD, error) {
	v, has := o.get("cost")
	if !has || blank(v) {
		return 0, errors.New("it tells no cost")
	}
	var cost dollars
	if err := cost.read(v); err != nil {
		return 0, fmt.Errorf("its cost: %w", err)
	}
	if cost < 0 {
		return 0, fmt.Errorf("its cost is %s", money.USD(cost))
	}
	return money.USD(cost), nil
}
