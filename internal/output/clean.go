package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean is text as one line that a terminal shows and does not obey: control
// characters, marks that turn the direction of writing, and what cannot be seen
// stand as escapes.
func Clean(text string) string {
	if strings.IndexFunc(text, steers) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case steers(r):
			b.WriteString(escape(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// steers reports whether a character acts on what shows it. The joiners U+200C
// and U+200D do not: Persian and Hindi are written with them.
func steers(r rune) bool {
	switch {
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return true
	case r == '\u200b', r == '\u2028', r == '\u2029', r == '\ufeff':
		return true
	default:
		return r >= 0xE0000 && r <= 0xE007F // invisible letters
	}
}

// escape writes a character as JSON, YAML and Go do.
func escape(r rune) string {
	if r > 0xFFFF {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
