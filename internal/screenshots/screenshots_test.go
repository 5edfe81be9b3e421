package screenshots_test

import (
	"bytes"
	"context"
	"errors"
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
		case "/empty":
		case "/cut":
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(good)
		case "/abroad":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusMovedPermanently)
		case "/kinds/gif":
			fmt.Fprint(w, "GIF89a\x01\x00\x01\x00")
		case "/kinds/jpg":
			fmt.Fprint(w, "\xff\xd8\xff\xe0\x00\x10JFIF")
		case "/kinds/webp":
			fmt.Fprint(w, "RIFF\x00\x00\x00\x00WEBPVP8 ")
		case "/..%2f..%2f..%2fetc/passwd", "/../../../etc/passwd":
			w.Header().Set("Content-Disposition", `attachment; filename="../../../root/.ssh/authorized_keys"`)
			_, _ = w.Write(good)
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
		"the host in hex":     {strings.Replace(h.URL, "127.0.0.1", "0x7f000001", 1) + "/good.jpg", 0},
		"the host by name":    {strings.Replace(h.URL, "127.0.0.1", "localhost", 1) + "/good.jpg", 0},
		"the host and a dot":  {strings.Replace(h.URL, "127.0.0.1", "127.0.0.1.", 1) + "/good.jpg", 0},
		"a host without //":   {"http:" + strings.TrimPrefix(h.URL, "http://") + "/good.jpg", 0},
		"no scheme":           {strings.TrimPrefix(h.URL, "http:") + "/good.jpg", 0},
		"a redirect":          {h.URL + "/elsewhere", 1},
		"a redirect abroad":   {h.URL + "/abroad", 1},
		"nothing":             {h.URL + "/empty", 1},
		"half a picture":      {h.URL + "/cut", 1},
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

func TestEachKindOfPictureHasItsSuffix(t *testing.T) {
	t.Parallel()
	h := serve(t)
	f, dir := fetcher(t, h)
	for i, kind := range []string{"gif", "jpg", "webp"} {
		path, _, err := f.Fetch(t.Context(), 7, i+1, h.URL+"/kinds/"+kind)
		if want := filepath.Join(dir, fmt.Sprintf("7-%d.%s", i+1, kind)); err != nil || path != want {
			t.Errorf("it is kept as %s, want %s: %v", path, want, err)
		}
	}
}

// TestNothingOfAnAddressNamesAFile also has a link stand where a picture is to be
// kept: what it leads to stays as it is.
func TestNothingOfAnAddressNamesAFile(t *testing.T) {
	t.Parallel()
	h := serve(t)
	f, dir := fetcher(t, h)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "7-1.png")); err != nil {
		t.Fatal(err)
	}
	for i, address := range []string{"/..%2f..%2f..%2fetc/passwd", "/../../../etc/passwd"} {
		path, fresh, err := f.Fetch(t.Context(), 7, i+1, h.URL+address)
		if want := filepath.Join(dir, fmt.Sprintf("7-%d.png", i+1)); err != nil || !fresh || path != want {
			t.Errorf("%s is kept as %s, want %s: %v", address, path, want, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[0].Type()&os.ModeSymlink != 0 {
		t.Errorf("the directory holds %v, %v", left, err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "as it was" {
		t.Errorf("a file outside was written: %q, %v", got, err)
	}
}

func TestTheRateLimitIsAskedForEachPicture(t *testing.T) {
	t.Parallel()
	h := serve(t)
	waits, full := 0, errors.New("no room")
	f, err := screenshots.New(screenshots.Config{APIURL: h.URL + "/api/v1", Dir: t.TempDir(), Wait: func(context.Context) error {
		if waits++; waits > 2 {
			return full
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, number := range []int{1, 1, 1, 2} { // what is kept already costs nothing
		if _, _, err := f.Fetch(t.Context(), 7, number, h.URL+"/good.jpg"); err != nil {
			t.Errorf("picture %d: %v", number, err)
		}
	}
	if _, _, err := f.Fetch(t.Context(), 7, 3, h.URL+"/good.jpg"); !errors.Is(err, full) || h.asked.Load() != 2 {
		t.Errorf("past the limit: %v, %d requests", err, h.asked.Load())
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
