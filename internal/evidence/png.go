package evidence

import (
	"encoding/binary"
	"hash/crc32"

	"lianqin/internal/fault"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKept are the chunks that say how the picture looks, of the PNG
// specification, third edition, §11. The rest goes: text, times, EXIF, the
// further pictures of an animation, and what nobody knows.
var pngKept = map[string]bool{"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true,
	"cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true, "sRGB": true, "cICP": true, "bKGD": true}

// stripPNG keeps those up to the end of the picture.
func stripPNG(data []byte) (*stripped, error) {
	s := &stripped{kept: append(make([]byte, 0, len(data)), pngSignature...)}
	for at := len(pngSignature); ; {
		if len(data)-at < 12 {
			return nil, damaged("the PNG ends early")
		}
		size := binary.BigEndian.Uint32(data[at:])
		if uint64(size) > uint64(len(data)-at-12) {
			return nil, damaged("a PNG chunk of %d bytes", size)
		}
		end := at + 12 + int(size)
		name, body := string(data[at+4:at+8]), data[at+8:end-4]
		if s.width == 0 {
			if name != "IHDR" || len(body) != 13 {
				return nil, damaged("the PNG's header")
			}
			s.header(body)
			if err := s.check(); err != nil {
				return nil, err
			}
		}
		if name == "eXIf" && s.exif == nil {
			s.exif = body
		}
		if pngKept[name] && (name != "iCCP" || len(body) <= mostProfile) {
			s.kept = append(s.kept, data[at:end]...)
		} else if name[0]&0x20 == 0 { // critical, and unknown
			return nil, fault.InvalidField("file", "a PNG with a part %q that browsers do not show", name)
		}
		if name == "IEND" {
			return s, nil
		}
		at = end
	}
}

// header reads IHDR: width, height, depth, colour type, compression, filter,
// interlace.
func (s *stripped) header(b []byte) {
	width, height := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	s.width, s.height = int(min(width, 1<<30)), int(min(height, 1<<30))
	perPixel := int64(4)
	switch {
	case b[8] == 16:
		perPixel = 8
	case b[9] == 0 || b[9] == 3: // grey or by palette
		perPixel = 1
	}
	if b[12] != 0 {
		perPixel *= 2 // each pass is a picture of its own
	}
	s.decoded = perPixel * min(int64(s.width)*int64(s.height), 1<<40)
}

// turnPNG puts the tag after the header.
func turnPNG(kept []byte, o orientation) []byte {
	at := len(pngSignature) + 12 + 13
	out := append(make([]byte, 0, len(kept)+38), kept[:at]...)
	return append(appendPNGChunk(out, "eXIf", o.tiff()), kept[at:]...)
}

func appendPNGChunk(b []byte, name string, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	from := len(b)
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
}
