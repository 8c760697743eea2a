package evidence

import (
	"encoding/binary"

	"lianqin/internal/fault"
)

const (
	mostSide    = 16_384     // pixels
	mostPixels  = 64_000_000 // a camera of 50 MP, or a phone's panorama
	mostDecoded = 256 << 20  // bytes that decoding may hold
	mostScans   = 64         // of a JPEG: each walks over all of it
	mostProfile = 16 << 10   // bytes of a colour profile; those of cameras have a few hundred
)

// frame is what the header of a picture says of it.
type frame struct {
	width, height int   // pixels, as they lie in the file
	decoded       int64 // bytes that decoding will hold
}

func (f frame) check() error {
	switch {
	case f.width <= 0 || f.height <= 0:
		return damaged("a picture of %d x %d pixels", f.width, f.height)
	case f.width > mostSide || f.height > mostSide || f.width*f.height > mostPixels:
		return fault.InvalidField("file", "%d x %d pixels are more than %d to a side or %d million in all", f.width, f.height, mostSide, mostPixels/1_000_000)
	case f.decoded > mostDecoded:
		return fault.InvalidField("file", "%d x %d pixels take %d MB to decode, more than %d: send it smaller", f.width, f.height, f.decoded>>20, mostDecoded>>20)
	}
	return nil
}

// stripped is a photo without its metadata.
type stripped struct {
	frame
	kept []byte
	exif []byte // the TIFF structure that was taken out; nil for none
}

// orientation is how EXIF says that a picture is to be held up: 1 as it lies,
// 2 to 8 mirrored and turned.
type orientation uint16

func (o orientation) valid() bool { return o >= 1 && o <= 8 }

// sideways reports whether width and height change places.
func (o orientation) sideways() bool { return o >= 5 }

// tiff is the least EXIF that says o: one IFD with one entry.
func (o orientation) tiff() []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.BigEndian.PutUint16(b[18:], uint16(o))
	return b
}
