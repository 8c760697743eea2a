// Package evidencetest makes photos for tests, with the metadata of phones.
package evidencetest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
)

// Secret is in the metadata of every photo that has some.
const Secret = "SECRET-OF-THE-CAMERA"

// Picture is one whose left upper quarter is red, the rest light.
func Picture(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{200, 210, 220, 255}
			if x < width/2 && y < height/2 {
				c = color.RGBA{200, 20, 20, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// JPEG is a photo without metadata.
func JPEG(width, height int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, Picture(width, height), nil); err != nil {
		panic(err) // memory does not fail
	}
	return b.Bytes()
}

// PNG is one, too.
func PNG(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, Picture(width, height)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Tags are what a camera writes; what is zero it does not write.
type Tags struct {
	Orientation   uint16
	Lon, Lat      float64
	Taken, Offset string // such as 2026:03:01 10:20:30 and +08:00
}

// Phone is a photo as a phone sends it: with those tags, a thumbnail, XMP,
// IPTC, a comment, and more after its end.
func Phone(width, height int, t Tags) []byte {
	photo := JPEG(width, height)
	out := append([]byte{}, photo[:2]...)
	segment := func(marker byte, body string) {
		out = binary.BigEndian.AppendUint16(append(out, 0xff, marker), uint16(len(body)+2))
		out = append(out, body...)
	}
	segment(0xe1, "Exif\x00\x00"+string(t.TIFF()))
	segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+Secret+"</x:xmpmeta>")
	segment(0xe2, "MPF\x00"+Secret)
	segment(0xed, "Photoshop 3.0\x008BIM"+Secret)
	segment(0xfe, Secret)
	return append(append(out, photo[2:]...), "\xff\xd8<script>"+Secret+"</script>"...)
}

// PhonePNG is a PNG with tags and text.
func PhonePNG(width, height int, t Tags) []byte {
	picture := PNG(width, height)
	out := append([]byte{}, picture[:33]...)
	chunk := func(name, body string) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
		from := len(out)
		out = append(out, name+body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[from:]))
	}
	chunk("eXIf", string(t.TIFF()))
	chunk("tEXt", "Author\x00"+Secret)
	chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+Secret)
	chunk("tIME", "\x07\xea\x03\x01\x0a\x14\x1e")
	chunk("prVt", Secret)
	return append(append(out, picture[33:]...), Secret...)
}

// TIFF is the structure that EXIF is, of TIFF 6.0 and Exif 2.32.
func (t Tags) TIFF() []byte {
	ifd0 := []entry{text(0x010f, Secret)}
	if t.Orientation != 0 {
		ifd0 = append(ifd0, entry{0x0112, 3, 1, binary.BigEndian.AppendUint16(nil, t.Orientation)})
	}
	exif := []entry{}
	if t.Taken != "" {
		exif = append(exif, text(0x9003, t.Taken))
	}
	if t.Offset != "" {
		exif = append(exif, text(0x9011, t.Offset))
	}
	exif = append(exif, text(0xa431, Secret)) // serial number
	gps := []entry{}
	if t.Lon != 0 || t.Lat != 0 {
		gps = []entry{reference(1, t.Lat, "N", "S"), degrees(2, t.Lat), reference(3, t.Lon, "E", "W"), degrees(4, t.Lon)}
	}
	// Where each directory lies does not depend on what the pointers say.
	sized := func(entries []entry) int { return len(directory(entries, 0)) }
	pointer := func(tag uint16, at int) entry {
		return entry{tag, 4, 1, binary.BigEndian.AppendUint32(nil, uint32(at))}
	}
	full := func(exifAt, gpsAt int) []entry {
		out := append(append([]entry{}, ifd0...), pointer(0x8769, exifAt))
		if len(gps) > 0 {
			out = append(out, pointer(0x8825, gpsAt))
		}
		return out
	}
	exifAt := 8 + sized(full(0, 0))
	gpsAt := exifAt + sized(exif)
	b := append([]byte("MM\x00*\x00\x00\x00\x08"), directory(full(exifAt, gpsAt), 8)...)
	b = append(b, directory(exif, exifAt)...)
	if len(gps) > 0 {
		b = append(b, directory(gps, gpsAt)...)
	}
	return b
}

type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

func text(tag uint16, s string) entry { return entry{tag, 2, uint32(len(s) + 1), append([]byte(s), 0)} }

func reference(tag uint16, v float64, positive, negative string) entry {
	if v < 0 {
		positive = negative
	}
	return text(tag, positive)
}

// degrees are three rationals: degrees, minutes, seconds.
func degrees(tag uint16, v float64) entry {
	v = math.Abs(v)
	d := math.Floor(v)
	m := math.Floor((v - d) * 60)
	s := math.Round(((v-d)*60 - m) * 60 * 10000)
	var b []byte
	for _, n := range []uint32{uint32(d), 1, uint32(m), 1, uint32(s), 10000} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return entry{tag, 5, 3, b}
}

// directory is an IFD that lies at an offset, its longer values behind it.
func directory(entries []entry, at int) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(entries)))
	behind := at + 2 + 12*len(entries) + 4
	var values []byte
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, e.tag), e.kind)
		b = binary.BigEndian.AppendUint32(b, e.count)
		if len(e.value) <= 4 {
			b = append(b, append(bytes.Clone(e.value), 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(behind+len(values)))
		values = append(values, e.value...)
		values = append(values, make([]byte, len(values)&1)...)
	}
	return append(binary.BigEndian.AppendUint32(b, 0), values...)
}
