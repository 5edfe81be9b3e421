package screenshots_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/campaign-runner/campaign-runner/internal/screenshots"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// host serves pictures and traps, and counts what it is asked.
type host struct {
	*httptest.Server
	asked atomic.Int64
}

func serve(t *testing.T) *host {
	t.Helper()
	h := &host{}
	good := picture(t)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		if key := r.Header.Get("Authorization"); key != "" {
			t.Errorf("the key was sent along: %q", key)
		}
		switch r.URL.Path {
		case "/good.jpg":
			_, _ = w.Write(good)
		case "/drawing.png":
			w.Header().Set("Content-Type", "image/png")
			fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`)
		case "/page":
			fmt.Fprint(w, "<!doctype html><title>Log in</title>")
		case "/large":
			_, _ = w.Write(good)
			_, _ = w.Write(make([]byte, 6<<20))
		case "/elsewhere":
			http.Redirect(w, r, "/good.jpg", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func fetcher(t *testing.T, h *host) (*screenshots.Fetcher, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pictures")
	f, err := screenshots.New(screenshots.Config{APIURL: h.URL + "/api/v1", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, dir
}

func TestAPictureIsKeptUnderItsIDsAndFetchedOnce(t *testing.T) {
	t.Parallel()
	h := serve(t)
	f, dir := fetcher(t, h)
	for i, wantFresh := range []bool{true, false} {
		path, fresh, err := f.Fetch(t.Context(), 590555, 1, h.URL+"/good.jpg")
		if err != nil || fresh != wantFresh || path != filepath.Join(dir, "590555-1.png") {
			t.Errorf("look %d: %q, fresh %v, %v", i, path, fresh, err)
		}
	}
	if h.asked.Load() != 1 {
		t.Errorf("the host was asked %d times", h.asked.Load())
	}
	got, err := os.ReadFile(filepath.Join(dir, "590555-1.png"))
	if err != nil || !bytes.Equal(got, picture(t)) {
		t.Errorf("what is kept is not what was sent: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "590555-1.png"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the picture of a worker may be read by others: %v %v", info.Mode(), err)
	}
}

func TestWhatIsNoPictureOfTheAPIsIsLeftAlone(t *testing.T) {
	t.Parallel()
	h, other := serve(t), serve(t)
	for name, c := range map[string]struct {
		address string
		asked   int64
	}{
		"another host":        {"https://evil.test/good.jpg", 0},
		"another port":        {other.URL + "/good.jpg", 0},
		"another scheme":      {strings.Replace(h.URL, "http://", "https://", 1) + "/good.jpg", 0},
		"a program":           {"javascript:alert(1)", 0},
		"data":                {"data:image/png;base64,AAAA", 0},
		"a file":              {"file:///etc/passwd", 0},
		"the cloud's secrets": {"http://169.254.169.254/latest/meta-data/", 0},
		"a user in front":     {strings.Replace(h.URL, "http://", "http://api.test@", 1) + "/good.jpg", 0},
		"no address":          {"590555_0.jpg", 0},
		"a path that climbs":  {"../../etc/passwd", 0},
		"no URL":              {"http://[::1", 0},
		"a redirect":          {h.URL + "/elsewhere", 1},
		"a drawing":           {h.URL + "/drawing.png", 1},
		"a page":              {h.URL + "/page", 1},
		"too large":           {h.URL + "/large", 1},
		"not there":           {h.URL + "/gone", 1},
	} {
		t.Run(name, func(t *testing.T) {
			before, trapped := h.asked.Load(), other.asked.Load()
			f, dir := fetcher(t, h)
			path, _, err := f.Fetch(t.Context(), 1, 1, c.address)
			if err == nil {
				t.Errorf("it was kept as %s", path)
			}
			if got := h.asked.Load() - before; got != c.asked {
				t.Errorf("the host was asked %d times, want %d", got, c.asked)
			}
			if other.asked.Load() != trapped {
				t.Error("another host was asked")
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("something was left behind: %v", left)
			}
		})
	}
}

func TestADirectoryThatCannotBeMadeIsTold(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := screenshots.New(screenshots.Config{APIURL: "https://api.test", Dir: filepath.Join(file, "below")}); err == nil {
		t.Error("a fetcher without a directory")
	}
}
