package evidence

import (
	"crypto/rand"
	"regexp"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Claimable is how long after it was received a file may be named by a case.
const Claimable = 24 * time.Hour

// File is a photo or a file as it is entered.
type File struct {
	Name          string // random: whoever knows it may name it in a case, once
	Type          Type
	Size          int64 // bytes
	ThumbSize     int64 // bytes; 0 for what is no photo
	Width, Height int   // pixels, as it is to be seen; 0 for what is no photo
	SHA256        string
	Taken         time.Time // as the photo says; zero where it does not
	Sender        string    // who sent it; empty for nobody who had signed in
	Received      time.Time
	Case          int64 // that claimed it; 0 for none yet
	Shared        bool  // shown by any case that names it, claimed by none, and kept
}

// newName is a name of 128 bits and more that nobody guesses.
func newName(ending string) string { return strings.ToLower(rand.Text()) + "." + ending }

// nameForm bounds what may become the name of an object in storage.
var nameForm = regexp.MustCompile(`^[a-z0-9]{3,64}\.[a-z0-9.]{1,16}$`)

func checkName(name string) error {
	if !nameForm.MatchString(name) {
		return fault.New(fault.NotFound, "there is no file %.80q", name)
	}
	return nil
}

// thumbName is the name in storage of a photo's small picture.
func thumbName(name string) string {
	stem, _, _ := strings.Cut(name, ".")
	return stem + ".thumb.jpg"
}
