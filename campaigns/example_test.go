package campaigns_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

const exampleSpec = `
version: 1
timezone: Europe/Istanbul
campaigns:
  - name: street-signs
    items: [Pune, Agra]
    job:
      title: "Street signs in {{ .item }}"
      category: surveys/labelling
      price: 0.05
      seats: 100
      countries: [IN]
      minutes: 5
      steps: ["Type every sign you can read."]
      proof: [{text: "The signs, one a line"}]
    budget: {cap: 60, pause_at: 80%, per: week}
    actions:
      - {do: create, now: true}
      - {do: add_seats, seats: 20, cron: "0 12 * * MON-FRI"}
`

func ExampleParse() {
	f, err := campaigns.Parse("signs.yaml", []byte(exampleSpec), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := f.Campaigns[0]
	fmt.Println(c.Name, len(c.Items), c.Job.Price, c.Budget.PauseAt)
	// Output: street-signs 2 0.05 48
}

func ExampleParse_faults() {
	_, err := campaigns.Parse("signs.yaml", []byte("version: 1\ncampaignz:\n  - {name: Signs, adopt: [1.5]}\n"), nil)
	var faults campaigns.Errors
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// signs.yaml:2:1: unknown key "campaignz" in the file, did you mean "campaigns"?
	// signs.yaml:3:5: the campaign has no actions: one that only adopts has no create to fall back on
	// signs.yaml:3:12: name: "Signs" is not 1 to 63 of a-z, 0-9 and -
	// signs.yaml:3:27: adopt: "1.5" is not a whole number such as 20
}

func ExampleCampaign_Render() {
	f, err := campaigns.Parse("signs.yaml", []byte(exampleSpec), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := f.Campaigns[0]
	for _, item := range c.Items {
		job, err := c.Render(item)
		fmt.Println(job.Title, err)
	}
	// Output:
	// Street signs in Pune <nil>
	// Street signs in Agra <nil>
}

func ExampleSchedule_Next() {
	a := campaigns.Action{Cron: "30 2 * * *", Timezone: "Europe/Berlin"}
	s, err := a.Schedule()
	if err != nil {
		fmt.Println(err)
		return
	}
	slot := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	for range 3 {
		slot, _ = s.Next(slot)
		fmt.Println(slot.Format(time.RFC3339))
	}
	// Clocks leap from 02:00 to 03:00 on the 29th.

	// Output:
	// 2026-03-28T01:30:00Z
	// 2026-03-29T01:00:00Z
	// 2026-03-30T00:30:00Z
}

func ExampleBudget_WindowAt() {
	b := campaigns.Budget{Per: campaigns.PerWeek, Timezone: "Europe/Istanbul"}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	start, end := b.WindowBounds(now)
	fmt.Println(b.WindowAt(now), start.Format(time.RFC3339), end.Format(time.RFC3339))
	// Output: 2026-W48 2026-11-22T21:00:00Z 2026-11-29T21:00:00Z
}

func ExampleParseDuration() {
	d, err := campaigns.ParseDuration("1d12h")
	fmt.Println(time.Duration(d), d, err)
	// Output: 36h0m0s 1d12h0m0s <nil>
}
