// Package doctor looks at what a runner stands on, its settings, its Redis, the
// marketplace and the clocks, and says of each thing how it is and what to do.
package doctor

import (
	"fmt"
)

// Level is how a thing is.
type Level string

// The levels. An error keeps a runner from working, or money from being safe.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Error   Level = "error"
)

// Finding is one thing that was looked at.
type Finding struct {
	// Subject is a short name, such as "redis memory".
	Subject string `json:"subject"`
	Level   Level  `json:"level"`
	// Message says how it is, and Advice what to do; "" where nothing is.
	Message string `json:"message"`
	Advice  string `json:"advice"`
}

func (f Finding) String() string {
	if f.Advice == "" {
		return f.Message
	}
	return f.Message + ": " + f.Advice
}

func ok(subject, format string, args ...any) Finding {
	return Finding{Subject: subject, Level: OK, Message: fmt.Sprintf(format, args...)}
}

func warning(subject, advice, format string, args ...any) Finding {
	return Finding{Subject: subject, Level: Warning, Message: fmt.Sprintf(format, args...), Advice: advice}
}

func wrong(subject, advice, format string, args ...any) Finding {
	return Finding{Subject: subject, Level: Error, Message: fmt.Sprintf(format, args...), Advice: advice}
}
