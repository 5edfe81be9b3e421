package api

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Key is the bearer token of an account. However it is printed, logged or
// marshalled, alone or deep inside another value, it reads "[redacted]".
//
// The token sits in a closure because fmt and debug printers walk through
// unexported fields without asking for their String methods.
type Key struct {
	reveal func() string
}

// NewKey takes the text of a token, as typed or as read from a file: line
// breaks at its end are dropped. It refuses an empty token and one that holds
// anything but visible ASCII; the error never quotes the token.
func NewKey(text string) (Key, error) {
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return Key{}, errors.New("the API key is empty")
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return Key{}, fmt.Errorf("the API key holds a space, a control character or "+
				"a letter beyond ASCII at place %d of %d: copy it once more", i+1, len(text))
		}
	}
	return Key{reveal: func() string { return text }}, nil
}

// IsZero tells whether the key was never set.
func (k Key) IsZero() bool { return k.reveal == nil }

// String is "[redacted]".
func (Key) String() string { return redacted }

// GoString is "[redacted]".
func (Key) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// MarshalJSON is the JSON string "[redacted]".
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText is "[redacted]".
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is "[redacted]".
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// redact takes the key out of a text that came from elsewhere.
func (k Key) redact(s string) string {
	if k.IsZero() {
		return s
	}
	return strings.ReplaceAll(s, k.reveal(), redacted)
}

// keyless is an error whose text held the key, as a server that echoes the
// request can bring about.
type keyless struct {
	text  string
	cause error
}

func (k keyless) Error() string        { return k.text }
func (k keyless) Is(target error) bool { return errors.Is(k.cause, target) }

// redactError is err, or where its text holds the key an error without it that
// still is what err is.
func (k Key) redactError(err error) error {
	if err == nil {
		return nil
	}
	if text := k.redact(err.Error()); text != err.Error() {
		return keyless{text, err}
	}
	return err
}
