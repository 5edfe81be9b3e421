package span_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/campaigns/span"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0":      0,
		"0s":     0,
		"90s":    90 * time.Second,
		"1h30m":  90 * time.Minute,
		"1.5h":   90 * time.Minute,
		"7d":     7 * span.Day,
		"1d12h":  36 * time.Hour,
		"0d":     0,
		"65535d": 65535 * span.Day,
	} {
		got, err := span.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "5", "d", "-1d", "-5m", "1h2d", "1d-5m", "1dd", "1 d", "1e3s", "65536d",
		"65535d2562047h", "99999999999999999999h", "1w", "NaNs",
	} {
		if got, err := span.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
		}
	}
}

func TestFormatIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, int64(60000*span.Day)).Draw(t, "d"))
		got, err := span.Parse(span.Format(want))
		if err != nil || got != want {
			t.Fatalf("Parse(%q) = %v, %v; want %v", span.Format(want), got, err, want)
		}
	})
}
