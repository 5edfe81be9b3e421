package settings

import (
	"fmt"
	"log/slog"
)

// redacted is what a secret prints as.
const redacted = "[redacted]"

// Secret is a text that must not be printed. However it is formatted, logged or
// encoded, it shows "[redacted]", or "" when it is unset. The text is behind a
// pointer because fmt prints the unexported fields of others as they are.
type Secret struct{ text *string }

// NewSecret hides text; "" is an unset secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal is the text itself, for the one place that sends or compares it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.text != nil }

// String is "[redacted]".
func (s Secret) String() string {
	if s.IsSet() {
		return redacted
	}
	return ""
}

// GoString is what %#v prints.
func (s Secret) GoString() string { return fmt.Sprintf("settings.Secret(%q)", s.String()) }

// Format is what every verb prints.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = f.Write([]byte(text))
}

// MarshalText is what text encodings write.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is what encoding/json writes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue is what log/slog writes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
