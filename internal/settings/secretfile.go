package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxSecret is more than any token holds; a longer file is the wrong one.
const maxSecret = 16 << 10

// secretField is a secret setting by its environment variable; the one with
// _FILE after it names a file.
type secretField struct {
	env    string
	target *Secret
	check  func(text string) error
}

// load reads and checks the secret. No error quotes it.
func (f secretField) load(getenv func(string) string) error {
	text, err := fromEnvOrFile(f.env, getenv)
	if err != nil {
		return err
	}
	if err := f.check(text); err != nil {
		return &Error{f.env, err.Error()}
	}
	*f.target = NewSecret(text)
	return nil
}

// fromEnvOrFile reads a text that may be secret from the variable env, or from
// the file that env_FILE names. It is "" when neither is set.
func fromEnvOrFile(env string, getenv func(string) string) (string, error) {
	text, path := getenv(env), getenv(env+"_FILE")
	if text != "" && path != "" {
		return "", &Error{env, "is set, and so is " + env + "_FILE: unset one of them"}
	}
	if path != "" {
		var err error
		if text, err = readSecret(path, getenv("CREDENTIALS_DIRECTORY")); err != nil {
			return "", &Error{env + "_FILE", err.Error()}
		}
	}
	return strings.TrimSpace(text), nil
}

// readSecret reads a file that nobody else may read. Mounts of a container or
// of systemd, whose modes are not the user's to choose, are taken as they are.
func readSecret(path, credentials string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("%q is a folder: name the file", path)
	}
	if mode := info.Mode().Perm(); mode&^0o600 != 0 && !isMount(path, credentials) {
		return "", fmt.Errorf("%q has mode %04o, so that others may read it: run chmod 600 on it", path, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(b) > maxSecret {
		return "", fmt.Errorf("%q is longer than %d bytes: name the file that holds the secret alone", path, maxSecret)
	}
	if len(strings.TrimSpace(string(b))) == 0 {
		return "", fmt.Errorf("%q is empty", path)
	}
	return string(b), nil
}

// isMount reports whether path lies where containers or systemd put secrets.
func isMount(path, credentials string) bool {
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	for _, dir := range []string{"/run/secrets", "/var/run/secrets", credentials} {
		if dir != "" && strings.HasPrefix(abs, filepath.Clean(dir)+"/") {
			return true
		}
	}
	return false
}

// isWord accepts what can stand in a header of HTTP.
func isWord(text string) error {
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return errors.New("holds a space, a line break or a letter beyond ASCII: give one word")
		}
	}
	return nil
}

// leastSegment is how long a secret in a path is at least: one that is shorter
// can be guessed, and nothing else tells a callback from a forged one.
const leastSegment = 16

// isSegment accepts what can stand in a path as it is and cannot be guessed.
// "" is no secret at all.
func isSegment(text string) error {
	if text != "" && len(text) < leastSegment {
		return fmt.Errorf("has fewer than %d characters and could be guessed: make one with `openssl rand -hex 16`", leastSegment)
	}
	for _, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("-_.~", r) {
			return errors.New("holds a character that cannot stand in a path: give letters, digits, - and _ only, " +
				"as from `openssl rand -hex 16`")
		}
	}
	return nil
}
