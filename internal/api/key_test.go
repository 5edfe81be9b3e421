package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func TestNewKey(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		ok         bool
	}{
		{"as typed", secret, true},
		{"from a file", secret + "\n", true},
		{"from a file of Windows", secret + "\r\n", true},
		{"with every mark of ASCII", "!#$%&'*+-./:;<=>?@[]^_`{|}~\"\\,()", true},
		{"empty", "", false},
		{"only a line break", "\n", false},
		{"with a space before", " " + secret, false},
		{"with a space inside", "canary 7f3a9b", false},
		{"with a tab", secret + "\t", false},
		{"of two lines", secret + "\nsecond", false},
		{"with a NUL", secret + "\x00", false},
		{"with DEL", secret + "\x7f", false},
		{"beyond ASCII", secret + "ü", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			k, err := api.NewKey(row.text)
			if (err == nil) != row.ok || k.IsZero() == row.ok {
				t.Errorf("error %v, zero %v", err, k.IsZero())
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
}

func TestTheKeyIsNeverPrinted(t *testing.T) {
	t.Parallel()
	k := key(t)
	c := client(t, api.Config{})
	type nested struct {
		Key    api.Key
		hidden api.Key
		Deep   map[string]any
	}
	for i, v := range []any{k, &k, nested{k, k, map[string]any{"key": k}}, &nested{k, k, nil}, []api.Key{k}, map[string]*api.Key{"a": &k},
		api.Config{Key: k}, &api.Config{Key: k}, c, *c, fmt.Errorf("call: %v", k), errors.Join(fmt.Errorf("%#v", k)), slog.AnyValue(k)} {
		checkPrinted(t, i, v)
	}
}

func checkPrinted(t *testing.T, i int, v any) {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%08b"} {
		fmt.Fprintf(&out, verb+"\n", v)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("told", "value", v, slog.Group("group", "value", v))
	}
	if b, err := json.Marshal(v); err == nil {
		out.Write(b)
	}
	asNumbers := fmt.Sprintf("%d", []byte(secret))
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), asNumbers} {
		if strings.Contains(out.String(), form) {
			t.Errorf("value %d (%T) tells the key:\n%s", i, v, out.String())
		}
	}
}

func TestAServerThatEchoesTheKeyDoesNotPutItIntoErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, kind, body string
		status           int
	}{
		{"in a refusal", "application/json", `{"message":"no such key ` + secret + `"}`, http.StatusUnauthorized},
		{"in a failure", "application/json", `{"result":"error","message":"Bearer ` + secret + `"}`, http.StatusOK},
		{"as a cost", "application/json", `{"result":"ok","job_id":5,"cost":"` + secret + `"}`, http.StatusOK},
		{"as plain text", "text/plain", secret, http.StatusForbidden},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", row.kind)
				w.WriteHeader(row.status)
				fmt.Fprint(w, row.body)
			})
			_, err := client(t, api.Config{BaseURL: m.URL}).AddSeats(t.Context(), 5, 1)
			if err == nil || !strings.Contains(err.Error(), "[redacted]") {
				t.Fatalf("error %v", err)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(fmt.Sprintf("%v %+v", e, e), secret) {
					t.Errorf("told in %T: %v", e, e)
				}
			}
		})
	}
}
