package evidence

import (
	"bytes"
	"encoding/binary"

	"lianqin/internal/fault"
)

// Flags of the VP8X chunk, of RFC 9649 §2.7.1.
const (
	webpAnimated = 1 << 1
	webpXMP      = 1 << 2
	webpEXIF     = 1 << 3
	webpAlpha    = 1 << 4
	webpICC      = 1 << 5
)

// stripWebP keeps the picture, its transparency and its colour profile.
func stripWebP(data []byte) (*stripped, error) {
	s := &stripped{kept: append(make([]byte, 0, len(data)), data[:12]...)}
	end := 8 + int64(binary.LittleEndian.Uint32(data[4:]))
	if end < 12 || end > int64(len(data)) {
		return nil, damaged("the WebP ends early")
	}
	w := webpWalk{stripped: s}
	for rest := data[12:end]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, damaged("the WebP ends early")
		}
		size := int64(binary.LittleEndian.Uint32(rest[4:]))
		if size > int64(len(rest)-8) {
			return nil, damaged("a WebP chunk of %d bytes", size)
		}
		if err := w.chunk(string(rest[:4]), rest[8:8+size]); err != nil {
			return nil, err
		}
		rest = rest[min(int64(len(rest)), 8+size+size&1):]
	}
	return s, w.finish()
}

type webpWalk struct {
	*stripped
	extended   int // where the flags are in kept; 0 for none
	canvas     [2]int
	alpha, icc bool
	picture    bool
}

func (w *webpWalk) chunk(name string, b []byte) error {
	switch name {
	case "VP8X":
		if w.extended != 0 || w.picture || len(b) != 10 {
			return damaged("the WebP's header")
		}
		if b[0]&webpAnimated != 0 {
			return fault.InvalidField("file", "动图无法接收 an animated picture is not taken")
		}
		w.extended = len(w.kept) + 8
		w.canvas = [2]int{1 + int(b[4]) + int(b[5])<<8 + int(b[6])<<16, 1 + int(b[7]) + int(b[8])<<8 + int(b[9])<<16}
		b = append([]byte{b[0] & webpAlpha, 0, 0, 0}, b[4:]...)
	case "ICCP":
		if w.icc || w.extended == 0 || !isProfile(b) {
			return nil
		}
		w.icc = true
		w.kept[w.extended] |= webpICC
	case "ALPH":
		if w.alpha || w.picture || w.extended == 0 {
			return damaged("the WebP's transparency")
		}
		w.alpha = true
	case "VP8 ", "VP8L":
		if w.picture {
			return damaged("two pictures in one WebP")
		}
		w.picture = true
		if err := w.frameHeader(name, b); err != nil {
			return err
		}
	case "EXIF":
		if w.exif == nil {
			w.exif = bytes.TrimPrefix(b, exifMark) // as some write it
		}
		return nil
	default:
		return nil
	}
	w.kept = appendWebPChunk(w.kept, name, b)
	return nil
}

// frameHeader reads RFC 6386 §9.1 or RFC 9649 §3.4.
func (w *webpWalk) frameHeader(name string, b []byte) error {
	pixel := int64(2)
	switch {
	case name == "VP8L" && len(b) >= 5 && b[0] == 0x2f:
		bits := binary.LittleEndian.Uint32(b[1:])
		w.width, w.height = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
		pixel = 8 // a picture, and what it is transformed from
	case name == "VP8 " && len(b) >= 10 && b[3] == 0x9d && b[4] == 1 && b[5] == 0x2a:
		w.width, w.height = int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff)
		if w.alpha {
			pixel += 8
		}
	default:
		return damaged("the WebP's picture")
	}
	if w.extended != 0 && w.canvas != [2]int{w.width, w.height} {
		return damaged("a WebP whose picture is not as large as it says")
	}
	w.decoded = pixel * int64(w.width+16) * int64(w.height+16)
	return w.check()
}

func (w *webpWalk) finish() error {
	if !w.picture {
		return damaged("a WebP without a picture")
	}
	binary.LittleEndian.PutUint32(w.kept[4:], uint32(len(w.kept)-8))
	return nil
}

func appendWebPChunk(b []byte, name string, body []byte) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, name...), uint32(len(body)))
	b = append(b, body...)
	return append(b, make([]byte, len(body)&1)...)
}

// turnWebP appends the tag. Only a WebP with a VP8X chunk had EXIF to say it.
func turnWebP(kept []byte, o orientation) []byte {
	if len(kept) < 30 || string(kept[12:16]) != "VP8X" {
		return kept
	}
	out := appendWebPChunk(bytes.Clone(kept), "EXIF", o.tiff())
	out[20] |= webpEXIF
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
