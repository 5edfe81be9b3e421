package sandbox

import (
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"regexp"
	"strconv"
)

// uploads is where the website shows what workers sent as pictures.
const uploads = "/proof_uploads/"

// uploaded is the name of a picture: its application, and a number of its own.
var uploaded = regexp.MustCompile(`^` + uploads + `(\d{1,9})_[\d_]{1,9}\.jpg$`)

// screenshot draws a picture in a colour of the application's own. It is part
// of the website, so that no key is asked for.
func (s *Sandbox) screenshot(w http.ResponseWriter, r *http.Request) {
	name := uploaded.FindStringSubmatch(r.URL.Path)
	if name == nil || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	id, err := strconv.ParseInt(name[1], 10, 64)
	if _, found := s.Application(id); err != nil || !found {
		http.NotFound(w, r)
		return
	}
	tone := mix(s.cfg.Seed, uint64(id))
	picture := image.NewRGBA(image.Rect(0, 0, 16, 9))
	for i := range 16 * 9 {
		picture.Set(i%16, i/16, color.RGBA{uint8(tone), uint8(tone >> 8), uint8(tone >> 16), 255})
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_ = jpeg.Encode(w, picture, nil) // who hangs up misses a picture
}
