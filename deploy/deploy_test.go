// Package deploy_test holds the files that deploy the runner to what the
// documentation promises of them.
package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// service is what is checked of a service in docker-compose.yml.
type service struct {
	User        string            `yaml:"user"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Secrets     []string          `yaml:"secrets"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	Healthcheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
}

// compose is docker-compose.yml.
type compose struct {
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
	Secrets  map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

// read returns a file of the project's root.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) == 0 {
		t.Fatal("docker-compose.yml has no services")
	}
	return c
}

func TestEveryContainerIsConfined(t *testing.T) {
	t.Parallel()
	user := regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`)
	for name, s := range readCompose(t).Services {
		if !user.MatchString(s.User) {
			t.Errorf("%s: user %q is not numeric, or is root", name, s.User)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: read_only %v, cap_drop %v", name, s.ReadOnly, s.CapDrop)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: security_opt %v", name, s.SecurityOpt)
		}
		if len(s.Healthcheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s to everyone", name, port)
			}
		}
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	secret := regexp.MustCompile(`KEY|TOKEN|SECRET|REDIS_URL`)
	for name, s := range c.Services {
		for variable, value := range s.Environment {
			if !secret.MatchString(variable) {
				continue
			}
			file, mounted := strings.CutPrefix(value, "/run/secrets/")
			if !strings.HasSuffix(variable, "_FILE") || !mounted || !slices.Contains(s.Secrets, file) {
				t.Errorf("%s: %s=%s is no file that is mounted", name, variable, value)
			}
		}
		for _, file := range s.Secrets {
			if !strings.HasPrefix(c.Secrets[file].File, "./secrets/") {
				t.Errorf("%s: secret %s comes from %q", name, file, c.Secrets[file].File)
			}
		}
	}
	if !strings.Contains(read(t, ".gitignore"), "/secrets/") {
		t.Error("git does not ignore /secrets/")
	}
}

func TestRedisKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	s := readCompose(t).Services["redis"]
	command := strings.Join(s.Command, " ")
	for _, option := range []string{"--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"} {
		if !strings.Contains(command, option) {
			t.Errorf("redis runs without %s", option)
		}
	}
	if !slices.Contains(s.Volumes, "redis:/data") || !strings.Contains(command, "--dir /data") {
		t.Errorf("redis writes elsewhere than to its volume: %v, %s", s.Volumes, command)
	}
}

func TestImageIsSmallAndNotRoot(t *testing.T) {
	t.Parallel()
	file := read(t, "Dockerfile")
	_, final, found := strings.Cut(file, "FROM scratch\n")
	if !found || strings.Contains(final, "FROM ") {
		t.Error("the image is not built from scratch")
	}
	for _, line := range []string{"USER 65532:65532\n", `ENTRYPOINT ["runner"]`, "ca-certificates.crt"} {
		if !strings.Contains(final, line) {
			t.Errorf("the image lacks %q", line)
		}
	}
	if !strings.Contains(file, "CGO_ENABLED=0 go build -trimpath") {
		t.Error("the binaries are not static")
	}
}

func TestUnitIsConfined(t *testing.T) {
	t.Parallel()
	unit := read(t, "deploy/campaign-runner.service")
	for _, line := range []string{"DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict",
		"CapabilityBoundingSet=", "LimitCORE=0", "KillMode=mixed"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	if regexp.MustCompile(`(?m)^Environment=.*(KEY|TOKEN|SECRET)=`).MatchString(unit) {
		t.Error("the unit holds a secret")
	}
}
