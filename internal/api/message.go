package api

import (
	"strings"
	"unicode"
)

// maxMessage is how many runes of a server's own words are kept.
const maxMessage = 300

// serverMessage digs the reason out of an answer that is no success: "" where
// it holds none, or is a page of HTML.
func serverMessage(x exchange) string {
	v, err := parse(x.body)
	if err != nil {
		if plainWords(x) {
			return clean(string(x.body))
		}
		return ""
	}
	return clean(strings.Join(words(v, 0), "; "))
}

// words collects what an error document says in the places where servers put
// it, the general before the particular.
func words(v any, depth int) []string {
	const deepest = 4
	var found []string
	switch t := v.(type) {
	case string:
		if strings.TrimSpace(t) != "" {
			found = append(found, t)
		}
	case []any:
		for _, item := range t[:min(len(t), 8)] {
			if depth < deepest {
				found = append(found, words(item, depth+1)...)
			}
		}
	case *object:
		if depth < deepest {
			found = objectWords(t, depth)
		}
	}
	return unique(found)
}

func objectWords(o *object, depth int) []string {
	var found []string
	for _, name := range []string{"message", "msg", "error", "error_description", "reason", "detail", "result"} {
		v, _ := o.get(name)
		found = append(found, words(v, depth+1)...)
	}
	errs, _ := o.get("errors")
	if fields, ok := errs.(*object); ok {
		for _, m := range fields.members[:min(len(fields.members), 8)] {
			for _, w := range words(m.value, depth+1) {
				found = append(found, m.name+": "+w)
			}
		}
		return found
	}
	return append(found, words(errs, depth+1)...)
}

// unique drops repeats and the bare words that only say that there is an error.
func unique(all []string) []string {
	var kept []string
	seen := map[string]bool{"error": true, "fail": true, "failed": true, "ok": true}
	for _, w := range all {
		if key := strings.ToLower(strings.TrimSpace(w)); !seen[key] {
			seen[key] = true
			kept = append(kept, w)
		}
	}
	return kept
}

// clean makes one line of a text from outside: control and direction
// characters become spaces, runs of spaces one, and the rest past 300 runes
// is cut.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	runes := []rune(s)
	if len(runes) <= maxMessage {
		return s
	}
	return string(runes[:maxMessage-1]) + "…"
}
