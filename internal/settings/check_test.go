package settings_test

import (
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/settings"
)

func TestListeningBeyondLoopbackNeedsAToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		listen, token string
		fine          bool
	}{
		{"127.0.0.1:8080", "", true},
		{"127.9.9.9:0", "", true},
		{"[::1]:8080", "", true},
		{"localhost:8080", "", true},
		{"0.0.0.0:8080", "", false},
		{":8080", "", false},
		{"[::]:8080", "", false},
		{"192.0.2.1:8080", "", false},
		{"localhost.example.com:8080", "", false},
		{"0.0.0.0:8080", "fifteen-letters", false},
		{"0.0.0.0:8080", "sixteen-letters-", true},
	} {
		s := settings.Settings{Listen: test.listen, ConsoleToken: settings.NewSecret(test.token)}
		err := s.CheckListen()
		if (err == nil) != test.fine {
			t.Errorf("%s with token %q: %v", test.listen, test.token, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "RUNNER_CONSOLE_TOKEN") || !strings.Contains(err.Error(), test.listen)) {
			t.Errorf("%v: it does not say what to do", err)
		}
	}
}

func TestRealMoneyNeedsStateThatLasts(t *testing.T) {
	t.Parallel()
	const real, local = "https://www.hiretalents.com/api/v1", "http://127.0.0.1:9/api/v1"
	for _, test := range []struct {
		url                string
		durable, mayForget bool
		fine               bool
	}{
		{real, true, false, true},
		{real, false, false, false},
		{real, false, true, true},
		{local, false, false, true},
	} {
		s := settings.Settings{APIURL: test.url, VolatileState: test.mayForget}
		if err := s.CheckState(test.durable); (err == nil) != test.fine {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestAPIKeyIsDemandedWhereItIsNeeded(t *testing.T) {
	t.Parallel()
	s := settings.Settings{}
	if err := s.RequireAPIKey(); err == nil || !strings.Contains(err.Error(), "HIRETALENTS_API_KEY_FILE") {
		t.Errorf("without a key: %v", err)
	}
	s.APIKey = settings.NewSecret("k")
	if err := s.RequireAPIKey(); err != nil {
		t.Errorf("with a key: %v", err)
	}
}
