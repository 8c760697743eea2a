package evidence

import (
	"bytes"
	"encoding/binary"

	"lianqin/internal/fault"
)

// JPEG's markers, of ITU-T T.81 table B.1.
const (
	jpegSOF0, jpegSOF1, jpegSOF2 = 0xc0, 0xc1, 0xc2
	jpegDHT                      = 0xc4
	jpegSOI, jpegEOI             = 0xd8, 0xd9
	jpegSOS, jpegDQT             = 0xda, 0xdb
	jpegDRI                      = 0xdd
	jpegAPP0, jpegAPP1           = 0xe0, 0xe1
	jpegAPP2, jpegAPP14          = 0xe2, 0xee
)

var (
	jfifMark  = []byte("JFIF\x00")
	exifMark  = []byte("Exif\x00\x00")
	iccMark   = []byte("ICC_PROFILE\x00\x01\x01") // the first part of one
	adobeMark = []byte("Adobe")
)

// stripJPEG keeps the segments that make the picture, the colour profile and
// what says how its colours are coded, up to the end of the first image. The
// rest goes: EXIF, XMP, IPTC, comments, thumbnails, and whatever follows.
func stripJPEG(data []byte) (*stripped, error) {
	s := &stripped{kept: append(make([]byte, 0, len(data)), 0xff, jpegSOI)}
	w := jpegWalk{stripped: s}
	for at := 2; ; {
		next := bytes.IndexByte(data[at:], 0xff)
		if next < 0 {
			return nil, damaged("the JPEG ends early")
		}
		for at += next; at < len(data) && data[at] == 0xff; at++ {
		}
		if at == len(data) {
			return nil, damaged("the JPEG ends early")
		}
		marker := data[at]
		at++
		switch {
		case marker == jpegEOI:
			s.kept = append(s.kept, 0xff, jpegEOI)
			return s, w.finish()
		case marker == jpegSOI:
			return nil, damaged("a JPEG within the JPEG")
		case marker <= 1 || marker >= 0xd0 && marker < jpegSOI: // nothing, or a restart that belongs to no scan
			continue
		}
		if len(data)-at < 2 {
			return nil, damaged("the JPEG ends early")
		}
		size := int(binary.BigEndian.Uint16(data[at:]))
		if size < 2 || size > len(data)-at {
			return nil, damaged("a JPEG segment of %d bytes", size)
		}
		if err := w.segment(marker, data[at+2:at+size]); err != nil {
			return nil, err
		}
		at += size
		if marker == jpegSOS {
			end := at + scanLength(data[at:])
			s.kept = append(s.kept, data[at:end]...)
			at = end
		}
	}
}

// scanLength is how long the compressed data at the beginning of b are: up to
// a marker that is no restart.
func scanLength(b []byte) int {
	for at := 0; ; {
		next := bytes.IndexByte(b[at:], 0xff)
		if next < 0 || at+next+1 >= len(b) {
			return len(b)
		}
		at += next
		if m := b[at+1]; m != 0 && (m < 0xd0 || m >= jpegSOI) {
			return at
		}
		at += 2
	}
}

type jpegWalk struct {
	*stripped
	components             int // of the frame
	scans                  int
	progressive, jfif, icc bool
	adobe                  bool
}

func (w *jpegWalk) segment(marker byte, body []byte) error {
	switch marker {
	case jpegSOF0, jpegSOF1, jpegSOF2:
		w.progressive = marker == jpegSOF2
		if err := w.frameHeader(body); err != nil {
			return err
		}
	case jpegDHT, jpegDQT, jpegDRI:
	case jpegSOS:
		if w.scans++; w.scans > mostScans {
			return damaged("more than %d scans", mostScans)
		}
		if w.components == 0 {
			return damaged("a scan before the JPEG's frame")
		}
	case jpegAPP0:
		if w.jfif || len(body) < 14 || !bytes.HasPrefix(body, jfifMark) {
			return nil
		}
		w.jfif = true
		body = append(bytes.Clone(body[:12]), 0, 0) // without a thumbnail
	case jpegAPP1:
		if w.exif == nil && bytes.HasPrefix(body, exifMark) {
			w.exif = body[len(exifMark):]
		}
		return nil
	case jpegAPP2:
		if w.icc || !bytes.HasPrefix(body, iccMark) || !isProfile(body[len(iccMark):]) {
			return nil
		}
		w.icc = true
	case jpegAPP14:
		if w.adobe || len(body) < 12 || !bytes.HasPrefix(body, adobeMark) {
			return nil
		}
		w.adobe = true
		body = body[:12]
	default:
		if marker >= 0xc3 && marker <= 0xcf {
			return fault.InvalidField("file", "a JPEG of a kind that browsers do not show (marker %#x)", marker)
		}
		return nil
	}
	w.kept = binary.BigEndian.AppendUint16(append(w.kept, 0xff, marker), uint16(len(body)+2))
	w.kept = append(w.kept, body...)
	return nil
}

// frameHeader reads B.2.2: precision, height, width, components.
func (w *jpegWalk) frameHeader(b []byte) error {
	if w.components != 0 {
		return damaged("two frames in one JPEG")
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return damaged("the JPEG's frame")
	}
	w.height, w.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	w.components = int(b[5])
	if n := w.components; b[0] != 8 || n != 1 && n != 3 && n != 4 {
		return fault.InvalidField("file", "a JPEG of %d bits and %d components is not shown by browsers", b[0], n)
	}
	across, down := 1, 1
	for c := 6; c < len(b); c += 3 {
		across, down = max(across, int(b[c+1]>>4)), max(down, int(b[c+1]&15))
	}
	if across > 4 || down > 4 {
		return damaged("the JPEG's sampling")
	}
	// In whole units, as the decoder has them.
	units := int64((w.width+8*across-1)/(8*across)) * int64((w.height+8*down-1)/(8*down))
	for c := 6; c < len(b); c += 3 {
		w.decoded += units * 64 * int64(b[c+1]>>4) * int64(b[c+1]&15)
	}
	if w.components == 1 {
		w.decoded = int64(w.width+7) * int64(w.height+7)
	}
	if w.progressive {
		w.decoded *= 5 // it holds the coefficients as well, of 4 bytes
	}
	return nil
}

func (w *jpegWalk) finish() error {
	if w.scans == 0 {
		return damaged("a JPEG without a picture")
	}
	if w.components == 4 || w.adobe && w.components == 3 {
		w.decoded += 4 * int64(w.width) * int64(w.height) // the colours are worked out pixel by pixel
	}
	return w.check()
}

// isProfile reports whether b may be a colour profile, of ICC.1:2022.
func isProfile(b []byte) bool {
	return len(b) >= 128 && len(b) <= mostProfile && string(b[36:40]) == "acsp"
}

// turnJPEG puts the tag after the JFIF header, where EXIF belongs.
func turnJPEG(kept []byte, o orientation) []byte {
	at := 2
	if len(kept) > 4 && kept[3] == jpegAPP0 {
		at += 2 + int(binary.BigEndian.Uint16(kept[4:]))
	}
	body := append(bytes.Clone(exifMark), o.tiff()...)
	out := append(make([]byte, 0, len(kept)+len(body)+4), kept[:at]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xff, jpegAPP1), uint16(len(body)+2))
	return append(append(out, body...), kept[at:]...)
}
