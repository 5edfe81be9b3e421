package campaigns_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// FuzzParse holds for any bytes: no panic, faults that name a place, and a
// file that loads can be stored, rendered and scheduled.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/warn/*.yaml", "../examples/*.yaml"} {
		for _, path := range files(f, pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add(largeSpec(3))
	dir := fstest.MapFS{
		"a.csv":   {Data: []byte("city,url\nPune,https://pune.example\n")},
		"a.jsonl": {Data: []byte("{\"city\": \"Pune\"}\n")},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		file, err := campaigns.Parse("fuzz.yaml", data, dir)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%d bytes took %v", len(data), took)
		}
		if err != nil {
			checkFaults(t, err)
			return
		}
		for i := range file.Campaigns {
			checkCampaign(t, &file.Campaigns[i])
		}
	})
}

func checkFaults(t *testing.T, err error) {
	t.Helper()
	var faults campaigns.Errors
	if !errors.As(err, &faults) || len(faults) == 0 {
		t.Fatalf("%T is not campaigns.Errors", err)
	}
	for _, i := range faults {
		if i.File == "" || i.Line < 1 || i.Column < 1 || i.Message == "" {
			t.Errorf("a fault without a place: %+v", i)
		}
	}
}

func checkCampaign(t *testing.T, c *campaigns.Campaign) {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back campaigns.Campaign
	if err := json.Unmarshal(data, &back); err != nil || back.Digest() != c.Digest() {
		t.Errorf("%s comes back as another campaign, or %v", c.Name, err)
	}
	for _, item := range c.Items {
		if c.Job == nil {
			break
		}
		if _, err := c.Render(item); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	for i := range c.Actions {
		s, err := c.Actions[i].Schedule()
		if err != nil {
			t.Fatalf("%s/%s: %v", c.Name, c.Actions[i].ID, err)
		}
		now := time.Unix(1795500000, 0)
		for range 3 {
			next, ok := s.Next(now)
			if ok && !next.After(now) {
				t.Fatalf("%s/%s: %v is not after %v", c.Name, c.Actions[i].ID, next, now)
			}
			now = next
		}
	}
}
