package campaigns

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxKey is how many characters the key of an item may have, and shortKey how
// many a plain value may have to be its own key.
const (
	maxKey   = 200
	shortKey = 64
)

// gatherer collects the items of one campaign and keeps their keys apart.
type gatherer struct {
	d     *decoder
	key   string
	items []Item
	seen  map[string]Issue
}

func (d *decoder) gather(key string, size int) *gatherer {
	return &gatherer{d: d, key: key, items: make([]Item, 0, size), seen: make(map[string]Issue, size)}
}

// add makes an item of fields. The value is what the item may be known by
// where no key column is named; at is where it stands.
func (g *gatherer) add(fields map[string]string, value string, at Issue) {
	key, err := g.keyOf(fields, value)
	if err == nil {
		err = checkFields(fields)
	}
	if first, taken := g.seen[key]; taken && err == nil {
		err = fmt.Errorf("two items have the key %q, the first on line %d", clip(key), first.Line)
	}
	if err == nil && g.d.items >= maxItems {
		err = fmt.Errorf("the file has more than %d items", maxItems)
	}
	if err != nil {
		at.Message = err.Error()
		g.d.add(at)
		return
	}
	g.seen[key] = at
	g.d.items++
	g.items = append(g.items, Item{Key: key, Fields: fields})
}

func (g *gatherer) keyOf(fields map[string]string, value string) (string, error) {
	if g.key == "" {
		if value != "" && utf8.RuneCountInString(value) <= shortKey {
			return value, checkKey(value)
		}
		return digestFields(fields), nil
	}
	key, ok := fields[g.key]
	if !ok {
		return "", fmt.Errorf("the item has no field %q, which is the key", clip(g.key))
	}
	return key, checkKey(key)
}

// checkKey wants a key that can stand in a name and a report.
func checkKey(key string) error {
	switch {
	case strings.TrimSpace(key) == "":
		return errors.New("the item's key is empty")
	case utf8.RuneCountInString(key) > maxKey:
		return fmt.Errorf("the item's key is longer than %d characters", maxKey)
	case strings.ContainsAny(key, "\n\t"):
		return errors.New("the item's key holds a tab or a line break")
	}
	return nil
}

// checkFields tells of the first field, by name, with a control character.
func checkFields(fields map[string]string) error {
	worst := ""
	for name, value := range fields {
		if checkCharacters(value) != nil && (worst == "" || name < worst) {
			worst = name
		}
	}
	if worst == "" {
		return nil
	}
	return fmt.Errorf("field %q %w", clip(worst), checkCharacters(fields[worst]))
}

func checkFieldName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxKey {
		return fmt.Errorf("%q is not the name of a field", clip(name))
	}
	return checkCharacters(name)
}

// digestFields is a key for an item that names none: it changes with any of
// its fields, and with nothing else.
func digestFields(fields map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, s := range []string{name, fields[name]} {
			h.Write(append(strconv.AppendInt(nil, int64(len(s)), 10), ':'))
			h.Write([]byte(s))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
