package sandbox

import (
	"fmt"
	"strconv"
)

// The words of plausible answers. What workers hand in is derived from the seed
// each time it is read, so that 100,000 applications store no text.
var (
	answersOften = []string{"done", "I did it", "ok thanks", "Job finished, please approve"}
	signs        = []string{"STOP", "Main Street", "Bakery", "No parking", "Pharmacy", "Exit"}
	details      = []string{"on the left", "in blue letters", "twice", "next to the door", "half hidden"}
)

// handed is what a worker handed in: now and then nothing, now and then what
// many others wrote too, else a text of their own; with a screenshot or two
// where the job asks for an image, though some forget it.
func (m *market) handed(j *job, a *Application) Handed {
	if a.Given != nil {
		return *a.Given
	}
	draw := mix(m.cfg.Seed, mix(uint64(j.ID)<<20|uint64(a.Round), uint64(a.UserID)<<8|uint64(a.Try)))
	h := Handed{Text: proofText(draw, a.UserID)}
	if wantsImage(j.Proof) {
		h.Screenshots = screenshots(draw>>32, a)
	}
	return h
}

func wantsImage(proofs []Proof) bool {
	for _, p := range proofs {
		if p.Type == "image" {
			return true
		}
	}
	return false
}

func proofText(draw uint64, user int64) string {
	switch share := draw % 100; {
	case share < 8:
		return ""
	case share < 20:
		return answersOften[draw>>8%uint64(len(answersOften))]
	}
	return fmt.Sprintf("%s %d, %s (worker%d)", signs[draw>>8%uint64(len(signs))],
		draw>>16%900+100, details[draw>>24%uint64(len(details))], user)
}

func screenshots(draw uint64, a *Application) []string {
	if draw%100 < 12 {
		return nil
	}
	id := strconv.FormatInt(a.ID, 10) + "_"
	if a.Try > 0 {
		id += strconv.Itoa(a.Try) + "_"
	}
	shots := []string{id + "0.jpg"}
	if draw%100 >= 70 {
		shots = append(shots, id+"1.jpg")
	}
	return shots
}

// mix is a hash of two numbers (the finalizer of splitmix64).
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
