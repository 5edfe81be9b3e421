package campaigns

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// crontab is a parsed cron text.
type crontab struct {
	*cron.SpecSchedule
	// eitherDay is set where both the day of the month and the day of the week
	// are given, of which cron takes either.
	eitherDay bool
}

// crontabs shares parsed texts between actions.
var crontabs memo[crontab]

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// parseCron reads five fields or one of the words for common schedules. It
// looks at the text first, because the library panics on some.
func parseCron(text string) (crontab, error) {
	if err := checkCron(text); err != nil {
		return crontab{}, err
	}
	parsed, err := cronParser.Parse(text)
	if err != nil && strings.Contains(err.Error(), "above maximum (6)") {
		return crontab{}, fmt.Errorf("%q: %w; Sunday is 0 or SUN", text, err)
	} else if err != nil {
		return crontab{}, fmt.Errorf("%q: %w", text, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return crontab{}, fmt.Errorf("%q is not five fields", text)
	}
	spec.Location = time.UTC
	c := crontab{SpecSchedule: spec, eitherDay: eitherDay(text)}
	if _, ok := c.nextWall(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); !ok {
		return crontab{}, fmt.Errorf("%q never runs: there is no such date", text)
	}
	return c, nil
}

func checkCron(text string) error {
	word, _, _ := strings.Cut(text, " ")
	switch {
	case len(text) > 256:
		return errors.New("is longer than 256 characters")
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		return fmt.Errorf("%q: write the zone as a key of its own, timezone: Europe/Istanbul", clip(text))
	case word == "@every":
		return fmt.Errorf("%q: write it as a key of its own, every: 6h", clip(text))
	case word == "@reboot":
		return fmt.Errorf("%q: there is no such moment here; for once at the start write now: true", text)
	case strings.HasPrefix(text, "@"):
		return checkWord(text)
	}
	return nil
}

func checkWord(text string) error {
	words := []string{"@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@midnight", "@annually"}
	for _, w := range words {
		if text == w {
			return nil
		}
	}
	return fmt.Errorf("unknown word %q%s", clip(text), didYouMean(text, words))
}

// eitherDay tells whether both of the day fields name days.
func eitherDay(text string) bool {
	fields := strings.Fields(text)
	return len(fields) == 5 &&
		!strings.ContainsAny(fields[2][:1], "*?") && !strings.ContainsAny(fields[4][:1], "*?")
}

// nextWall is the first wall time after another at which the text runs. The
// library gives up after five years; a 29 February can be eight years away.
func (c crontab) nextWall(after time.Time) (time.Time, bool) {
	for range 3 {
		if next := c.Next(after); !next.IsZero() {
			return next, true
		}
		after = time.Date(after.Year()+6, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second)
	}
	return time.Time{}, false
}
