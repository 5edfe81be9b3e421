package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

// A call that failed is judged by its effect, and never by its text.
func ExampleEffectOf() {
	marketplace := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/job/15341/pause" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"result": "ok", "cost": 2.35, "job_id": 15341}`)
	}))
	defer marketplace.Close()
	key, err := api.NewKey("secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := api.New(api.Config{BaseURL: marketplace.URL, Key: key})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	receipt, err := client.AddSeats(context.Background(), 15341, 10)
	fmt.Println("seats:", receipt.Cost, err)
	err = client.PauseJob(context.Background(), 15341)
	fmt.Println("pause:", api.EffectOf(err), "because of", api.ReasonOf(err))
	// Output:
	// seats: 2.35 <nil>
	// pause: unknown because of server
}
