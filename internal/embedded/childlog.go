package embedded

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// phase is how far a redis-server has come.
type phase int

const (
	starting phase = iota
	running
	stopping
)

// keptLines is how many of the last warnings a report of a death quotes.
const keptLines = 3

// maxLine cuts what a redis-server in trouble may print without a line break.
const maxLine = 4096

// logLine is a line of a redis-server's log: process and role, time, level.
var logLine = regexp.MustCompile(`^\d+:\w+ \d+ \w+ \d{4} [\d:.]+ ([.\-*#]) (.*)$`)

// childLog hands a redis-server's log to slog. A warning while it runs is one;
// what it says when it starts and stops is for the curious, since it marks
// greetings and farewells as warnings too.
type childLog struct {
	log *slog.Logger

	mu    sync.Mutex
	phase phase
	part  []byte
	last  []string
}

// Write takes any part of the log; a line may come in several.
func (l *childLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, b...)
	for {
		line, rest, found := bytes.Cut(l.part, []byte("\n"))
		if !found && len(l.part) < maxLine {
			return len(b), nil
		}
		if !found {
			line, rest = l.part, nil
		}
		l.line(strings.TrimSpace(string(line)))
		l.part = append([]byte(nil), rest...)
	}
}

// line logs one line and remembers it when it may explain a death.
func (l *childLog) line(text string) {
	if text == "" {
		return
	}
	mark := "#" // what has no mark was printed in despair
	if m := logLine.FindStringSubmatch(text); m != nil {
		mark, text = m[1], m[2]
	}
	if mark != "#" {
		l.log.Debug("redis-server: " + text)
		return
	}
	l.last = append(l.last, text)
	if len(l.last) > keptLines {
		l.last = l.last[1:]
	}
	if l.phase == running {
		l.log.Warn("redis-server: " + text)
	} else {
		l.log.Debug("redis-server: " + text)
	}
}

func (l *childLog) setPhase(p phase) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = p
}

// lastWords are the last warnings, in order.
func (l *childLog) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "; ")
}
