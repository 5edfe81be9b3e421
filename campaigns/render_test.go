package campaigns_test

import (
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

func TestRender(t *testing.T) {
	t.Parallel()
	item := campaigns.Item{Key: "k", Fields: map[string]string{"city": " New Delhi ", "note": "", "html": "<b>&"}}
	for template, want := range map[string]string{
		"plain { text }":                               "plain { text }",
		"{{.city}}":                                    " New Delhi ",
		"{{ trim .city }}!":                            "New Delhi!",
		"{{ .city | trim | upper }}":                   "NEW DELHI",
		"{{ lower (trim .city) }}":                     "new delhi",
		`{{ default "none" .note }}`:                   "none",
		`{{ .note | default "none" }}`:                 "none",
		"{{ if .note }}a{{ else if .city }}b{{ end }}": "b",
		"{{- /* a comment */ -}} x {{- .html -}} y":    "x<b>&y",
		"{{ `{{` }}":                                   "{{",
	} {
		c := campaigns.Campaign{Job: &campaigns.Job{Title: "t", Category: "c", Steps: []string{template}}}
		job, err := c.Render(item)
		if err != nil || job.Steps[0] != want {
			t.Errorf("%s renders %q, %v; want %q", template, job.Steps, err, want)
		}
		if c.Job.Steps[0] != template {
			t.Errorf("rendering changed the template to %q", c.Job.Steps[0])
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	item := campaigns.Item{Key: "k", Fields: map[string]string{
		"city": "Pune", "blank": " ", "lines": "a\nb", "long": strings.Repeat("x", 256), "bell": "\a", "c1": "a\u0085b",
	}}
	for title, message := range map[string]string{
		"{{ .town }}":               `no field "town"`,
		"{{ .citty }}":              `did you mean "city"?`,
		"{{ .blank }}":              "is empty",
		"{{ .lines }}":              "more than one line",
		"{{ .long }}":               "256 characters",
		"{{ .bell }}":               "control character",
		"{{ .c1 }}":                 "control character",
		"{{ .city":                  "unclosed action",
		"{{ len .city }}":           `function "len" not defined`,
		"{{ with .city }}{{ end }}": "not supported",
		"{{ . }}":                   "not supported",
		"{{ lower 5 }}":             "expected string",
	} {
		c := campaigns.Campaign{Job: &campaigns.Job{Title: title, Category: "c"}}
		if job, err := c.Render(item); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s renders %q, %v; want %q", title, job.Title, err, message)
		}
		u := campaigns.Update{Title: &title}
		if _, err := u.Render(item); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s in an update gives %v; want %q", title, err, message)
		}
	}
	adopts := campaigns.Campaign{Name: "a", Adopt: []int64{1}}
	if _, err := adopts.Render(item); err == nil {
		t.Error("a campaign without a job renders one")
	}
}
