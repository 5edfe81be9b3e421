package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

func TestAPageBehindTheLastIsToldFromOneThatFails(t *testing.T) {
	t.Parallel()
	const row = `{"id": %d, "title": "Signs", "total_app": 0, "availseats": 24, "price": 0.05, "status": 1}`
	rows := fmt.Sprintf("["+row+","+row+"]", 7, 8)
	for _, c := range []struct {
		name         string
		status       int
		second, last string
		ends         bool
	}{
		{"null", 200, `null`, `null`, true},
		{"an empty object", 200, `{}`, `{}`, true},
		{"a message", 200, `{"message":"No jobs found"}`, `{"message":"No jobs found"}`, true},
		{"a 404", 404, `{"message":"No more pages"}`, `{"message":"No more pages"}`, true},
		{"null on this page alone", 200, `null`, `[]`, false},
		{"another message", 404, `{"message":"Route not found"}`, `{"message":"No more pages"}`, false},
		{"a failure", 200, `{"result":"error"}`, `{"result":"error"}`, false},
		{"no JSON", 200, `<html>`, `<html>`, false},
		{"a page of the server's", 404, `<html>`, `<html>`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, status := rows, http.StatusOK
				if !strings.HasSuffix(r.URL.Path, "/1") {
					body, status = c.second, c.status
				}
				if strings.HasSuffix(r.URL.Path, "/10000") {
					body = c.last
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
			market := client(t, api.Config{BaseURL: m.URL})
			n := 0
			var last error
			for _, err := range market.AllJobs(t.Context(), api.JobsAll) {
				if last = err; err == nil {
					n++
				}
			}
			if n != 2 || (last == nil) != c.ends {
				t.Errorf("%d jobs, error %v; the list ends: want %t", n, last, c.ends)
			}
		})
	}
}
