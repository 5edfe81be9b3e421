package settings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/settings"
	"gopkg.in/yaml.v3"
)

// canary must appear nowhere.
const canary = "canary-8c1f"

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret := settings.NewSecret(canary)
	nested := struct {
		Public settings.Secret
		hidden settings.Secret
		Ptr    *settings.Secret
		Map    map[string]settings.Secret
	}{secret, secret, &secret, map[string]settings.Secret{"k": secret}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%10.3s"} {
		fmt.Fprintf(&out, verb+"\n", secret)
		fmt.Fprintf(&out, verb+"\n", nested)
		fmt.Fprintf(&out, verb+"\n", []any{secret, &nested})
	}
	fmt.Fprintln(&out, secret, nested, fmt.Errorf("wrapped: %w", fmt.Errorf("%v", secret)))
	for _, v := range []any{secret, nested} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		if b, err = yaml.Marshal(v); err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "s", secret, "n", nested)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "s", secret, "n", nested)

	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary)} {
		if strings.Contains(out.String(), form) {
			t.Fatalf("the secret shows as %q in\n%s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing shows that there is a secret")
	}
	if secret.Reveal() != canary || !secret.IsSet() || settings.NewSecret("").IsSet() {
		t.Error("the secret itself is lost")
	}
}

// write makes a file for one test.
func write(t *testing.T, dir, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretFromAFile(t *testing.T) {
	t.Parallel()
	mount := t.TempDir()
	for name, test := range map[string]struct {
		path string
		want string
		why  string
	}{
		"mode 0600, trimmed": {path: write(t, t.TempDir(), " "+canary+"\r\n", 0o600), want: canary},
		"mode 0400":          {path: write(t, t.TempDir(), canary, 0o400), want: canary},
		"mode 0644":          {path: write(t, t.TempDir(), canary, 0o644), why: "chmod 600"},
		"mode 0640":          {path: write(t, t.TempDir(), canary, 0o640), why: "chmod 600"},
		"a credential":       {path: write(t, mount, canary, 0o644), want: canary},
		"no file":            {path: filepath.Join(t.TempDir(), "none"), why: "cannot be read"},
		"a folder":           {path: t.TempDir(), why: "folder"},
		"an empty file":      {path: write(t, t.TempDir(), "\n", 0o600), why: "empty"},
		"two lines":          {path: write(t, t.TempDir(), canary+"\n"+canary, 0o600), why: "one word"},
		"a large file":       {path: write(t, t.TempDir(), strings.Repeat(canary, 5000), 0o600), why: "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := load(t, nil, map[string]string{
				"HIRETALENTS_API_KEY_FILE": test.path, "CREDENTIALS_DIRECTORY": mount + "/"})
			if test.why == "" {
				if err != nil || s.APIKey.Reveal() != test.want {
					t.Errorf("key %q, %v", s.APIKey.Reveal(), err)
				}
				return
			}
			var fault *settings.Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), test.why) {
				t.Errorf("error %v, want one with %q", err, test.why)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestSecretFromTwoPlacesIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"HIRETALENTS_API_KEY", "RUNNER_CONSOLE_TOKEN", "RUNNER_CALLBACK_SECRET", "REDIS_URL"} {
		_, err := load(t, nil, map[string]string{name: canary, name + "_FILE": "/x"})
		if err == nil || !strings.Contains(err.Error(), "unset one") || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRedisURLFromAFile(t *testing.T) {
	t.Parallel()
	env := map[string]string{"REDIS_URL_FILE": write(t, t.TempDir(), "redis://:pw@h:1\n", 0o600)}
	s, err := load(t, nil, env)
	if err != nil || s.RedisURL != "redis://:pw@h:1" {
		t.Errorf("RedisURL = %q, %v", s.RedisURL, err)
	}
	s, err = load(t, []string{"--redis", "unix:///flag"}, env)
	if err != nil || s.RedisURL != "unix:///flag" {
		t.Errorf("with a flag RedisURL = %q, %v", s.RedisURL, err)
	}
}
