package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/webp"

	"lianqin/internal/evidence/evidencetest"
	"lianqin/internal/fault"
)

var (
	zone    = time.FixedZone("+8", 8*3600)
	testNow = time.Date(2026, 3, 3, 9, 0, 0, 0, zone)
)

func alone() *Shelf { return NewShelf(nil, nil, zone, func() time.Time { return testNow }) }

func prepareFile(data []byte) (*prepared, error) { return alone().prepare(context.Background(), data) }

func decodeAny(t Type, data []byte) (image.Image, error) {
	switch t {
	case PNG:
		return png.Decode(bytes.NewReader(data))
	case WebP:
		return webp.Decode(bytes.NewReader(data))
	}
	return jpeg.Decode(bytes.NewReader(data))
}

func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if color.RGBA64Model.Convert(a.At(x, y)) != color.RGBA64Model.Convert(b.At(x, y)) {
				return false
			}
		}
	}
	return true
}

var tags = evidencetest.Tags{Lon: 121.24731, Lat: 31.38317, Taken: "2026:03:01 10:20:30", Offset: "+09:00"}

// TestPhotosAreStripped: the picture stays as it is, to the pixel, and nothing
// else does.
func TestPhotosAreStripped(t *testing.T) {
	for o := orientation(1); o <= 8; o++ {
		tags := tags
		tags.Orientation = uint16(o)
		for name, data := range map[string][]byte{"JPEG": evidencetest.Phone(64, 48, tags), "PNG": evidencetest.PhonePNG(64, 48, tags),
			"WebP": evidencetest.PhoneWebP(false, tags), "lossless WebP": evidencetest.PhoneWebP(true, tags)} {
			p, err := prepareFile(bytes.Clone(data))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if bytes.Contains(p.kept, []byte(evidencetest.Secret)) || len(p.kept) >= len(data) || int64(len(p.kept)) != p.file.Size {
				t.Errorf("%s %d: the metadata is there still, %d bytes of %d", name, o, len(p.kept), len(data))
			}
			before, err := decodeAny(p.file.Type, data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			after, err := decodeAny(p.file.Type, p.kept)
			if err != nil || !same(before, after) {
				t.Errorf("%s %d: the picture is another, %v", name, o, err)
			}
			if at := p.told.Position; at == nil || math.Abs(at.Lon()-tags.Lon) > 1e-7 || math.Abs(at.Lat()-tags.Lat) > 1e-7 {
				t.Errorf("%s: told %v", name, at)
			}
			if want := time.Date(2026, 3, 1, 9, 20, 30, 0, zone); !p.told.Taken.Equal(want) || !p.file.Taken.Equal(want) {
				t.Errorf("%s: taken %v", name, p.told.Taken)
			}
			again, err := formatOf(p.file.Type).strip(p.kept)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			told, turn := readEXIF(again.exif, zone)
			if turn != o || told.Position != nil || !told.Taken.IsZero() || (o == 1) != (again.exif == nil) {
				t.Errorf("%s %d: what is kept says %d, %+v", name, o, turn, told)
			}
			width, height := after.Bounds().Dx(), after.Bounds().Dy()
			if o.sideways() {
				width, height = height, width
			}
			small, err := jpeg.Decode(bytes.NewReader(p.thumb))
			if err != nil || p.file.Width != width || p.file.Height != height || small.Bounds().Dx() != width || small.Bounds().Dy() != height {
				t.Errorf("%s %d: %d x %d, small %v, %v", name, o, p.file.Width, p.file.Height, small.Bounds(), err)
			}
			if name != "JPEG" && name != "PNG" {
				continue
			}
			// The red quarter is left above as the file has it.
			right := o == 2 || o == 3 || o == 6 || o == 7
			below := o == 3 || o == 4 || o == 7 || o == 8
			for _, c := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
				x, y := width/4, height/4
				if c[0] {
					x += width / 2
				}
				if c[1] {
					y += height / 2
				}
				_, g, _, _ := small.At(x, y).RGBA()
				if red := g < 0x8000; red != (c == [2]bool{right, below}) {
					t.Errorf("%s %d: red at %v is %v", name, o, c, red)
				}
			}
		}
	}
}

func TestWithoutMetadata(t *testing.T) {
	for name, data := range map[string][]byte{"JPEG": evidencetest.JPEG(640, 480), "PNG": evidencetest.PNG(64, 48), "WebP": evidencetest.WebP(false), "lossless WebP": evidencetest.WebP(true)} {
		p, err := prepareFile(bytes.Clone(data))
		if err != nil || !bytes.Equal(p.kept, data) || p.told != (Told{}) {
			t.Errorf("%s: %v, %d bytes of %d, %+v", name, err, len(p.kept), len(data), p.told)
		}
	}
	p, err := prepareFile(evidencetest.JPEG(3000, 1000))
	if err != nil {
		t.Fatal(err)
	}
	small, err := jpeg.DecodeConfig(bytes.NewReader(p.thumb))
	if err != nil || small.Width != 320 || small.Height != 107 {
		t.Errorf("%+v, %v", small, err)
	}
	pdf := []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n")
	if p, err := prepareFile(bytes.Clone(pdf)); err != nil || p.file.Type != PDF || !bytes.Equal(p.kept, pdf) || p.thumb != nil || p.file.Width != 0 {
		t.Errorf("PDF: %+v, %v", p, err)
	}
}

// TestToldOrNot: what cannot be is not offered.
func TestToldOrNot(t *testing.T) {
	for name, tt := range map[string]struct {
		tags            evidencetest.Tags
		position, taken bool
	}{
		"all":                       {tags, true, true},
		"the south west":            {evidencetest.Tags{Lon: -58.5, Lat: -34.25}, true, false},
		"nothing":                   {evidencetest.Tags{Orientation: 1}, false, false},
		"without a zone":            {evidencetest.Tags{Taken: "2026:03:01 10:20:30"}, false, true},
		"a clock that was not set":  {evidencetest.Tags{Taken: "1970:01:01 00:00:00"}, false, false},
		"a clock that is far ahead": {evidencetest.Tags{Taken: "2026:03:05 00:00:00"}, false, false},
		"no time":                   {evidencetest.Tags{Taken: "    :  :     :  :  "}, false, false},
		"beyond the pole":           {evidencetest.Tags{Lon: 10, Lat: 95}, false, false},
		"a turn that is none":       {evidencetest.Tags{Orientation: 9}, false, false},
	} {
		p, err := prepareFile(evidencetest.Phone(8, 8, tt.tags))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if (p.told.Position != nil) != tt.position || p.told.Taken.IsZero() == tt.taken {
			t.Errorf("%s: %+v", name, p.told)
		}
		if at := p.told.Position; name == "the south west" && (at.Lon() != -58.5 || at.Lat() != -34.25) {
			t.Errorf("%s: %v", name, at)
		}
		if name == "without a zone" && p.told.Taken.Format(time.RFC3339) != "2026-03-01T10:20:30+08:00" {
			t.Errorf("%s: %v", name, p.told.Taken)
		}
	}
}

// claims is a photo whose header says that it is as large as that.
func claims(data []byte, width, height int) []byte {
	data = bytes.Clone(data)
	switch {
	case data[0] == 0xff:
		at := bytes.Index(data, []byte{0xff, jpegSOF0}) + 5
		binary.BigEndian.PutUint16(data[at:], uint16(height))
		binary.BigEndian.PutUint16(data[at+2:], uint16(width))
	case data[0] == 'R':
		if at := bytes.Index(data, []byte{0x9d, 1, 0x2a}); at > 0 {
			binary.LittleEndian.PutUint16(data[at+3:], uint16(width))
			binary.LittleEndian.PutUint16(data[at+5:], uint16(height))
			break
		}
		at := bytes.Index(data, []byte("VP8L")) + 9
		binary.LittleEndian.PutUint32(data[at:], uint32(width-1)|uint32(height-1)<<14)
	default:
		ihdr := bytes.Clone(data[16:29])
		binary.BigEndian.PutUint32(ihdr, uint32(width))
		binary.BigEndian.PutUint32(ihdr[4:], uint32(height))
		data = append(appendPNGChunk(bytes.Clone(data[:8]), "IHDR", ihdr), data[33:]...)
	}
	return data
}

// TestBombs: what would take much to decode is refused by its header, and
// costs nothing.
func TestBombs(t *testing.T) {
	progressive := bytes.Clone(claims(evidencetest.JPEG(8, 8), 8000, 7000))
	progressive[bytes.Index(progressive, []byte{0xff, jpegSOF0})+1] = jpegSOF2
	photo := evidencetest.JPEG(64, 64)
	scan := photo[bytes.Index(photo, []byte{0xff, jpegSOS}) : len(photo)-2]
	scans := append(bytes.Clone(photo[:len(photo)-2]), bytes.Repeat(scan, mostScans)...)
	interlaced := claims(evidencetest.PNG(8, 8), 8000, 8000)
	ihdr := bytes.Clone(interlaced[16:29])
	ihdr[12] = 1
	interlaced = append(appendPNGChunk(bytes.Clone(interlaced[:8]), "IHDR", ihdr), interlaced[33:]...)
	for name, data := range map[string][]byte{
		"JPEG":                      claims(evidencetest.JPEG(8, 8), 65535, 65535),
		"JPEG, long":                claims(evidencetest.JPEG(8, 8), 16385, 1),
		"JPEG of 65 MP":             claims(evidencetest.JPEG(8, 8), 8100, 8100),
		"progressive JPEG of 56 MP": progressive,
		"JPEG of many scans":        append(scans, 0xff, jpegEOI),
		"JPEG of no height":         claims(evidencetest.JPEG(8, 8), 8, 0),
		"PNG":                       claims(evidencetest.PNG(8, 8), math.MaxInt32, math.MaxInt32),
		"PNG beyond an int":         claims(evidencetest.PNG(8, 8), math.MaxUint32, 1),
		"PNG of 65 MP":              claims(evidencetest.PNG(8, 8), 8100, 8100),
		"interlaced PNG":            interlaced,
		"WebP":                      claims(evidencetest.WebP(false), 16383, 16383),
		"lossless WebP":             claims(evidencetest.WebP(true), 16384, 16384),
		"lossless WebP of 36 MP":    claims(evidencetest.WebP(true), 6000, 6000),
		"WebP larger than its page": claims(evidencetest.PhoneWebP(false, tags), 900, 900),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := prepareFile(data)
		runtime.ReadMemStats(&after)
		if fault.KindOf(err) != fault.Invalid || fault.FieldOf(err) != "file" {
			t.Errorf("%s: %v", name, err)
		}
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 1<<20 {
			t.Errorf("%s: refusing it took %d bytes", name, cost)
		}
	}
}

// TestDamaged cuts files anywhere and turns bytes: what is left is refused or
// is a picture, and never takes the program down.
func TestDamaged(t *testing.T) {
	for name, data := range map[string][]byte{"JPEG": evidencetest.Phone(24, 16, tags), "PNG": evidencetest.PhonePNG(24, 16, tags), "WebP": evidencetest.PhoneWebP(true, tags)} {
		whole, err := prepareFile(data)
		if err != nil {
			t.Fatal(name, err)
		}
		for n := range data {
			p, err := prepareFile(bytes.Clone(data[:n]))
			if err == nil && !bytes.Equal(p.kept, whole.kept) {
				t.Errorf("%s: %d bytes of %d are kept as something else", name, n, len(data))
			}
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %d bytes: %v", name, n, err)
			}
			turned := bytes.Clone(data)
			turned[n] ^= 0x55
			if _, err := prepareFile(turned); err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: byte %d: %v", name, n, err)
			}
		}
	}
}

func TestRecognised(t *testing.T) {
	var moving bytes.Buffer
	if err := gif.Encode(&moving, evidencetest.Picture(4, 4), nil); err != nil {
		t.Fatal(err)
	}
	animated := evidencetest.PhoneWebP(true, tags)
	animated[20] |= webpAnimated
	for name, tt := range map[string]struct {
		data []byte
		says string
	}{
		"nothing": {nil, "empty"}, "text": {[]byte("hello"), "PDF"}, "HEIC": {[]byte("\x00\x00\x00\x18ftypheic"), "HEIC"}, "HEIC of another brand": {[]byte("\x00\x00\x00\x18ftypmif1"), "HEIC"},
		"AVIF": {[]byte("\x00\x00\x00\x18ftypavif"), "AVIF"}, "MP4": {[]byte("\x00\x00\x00\x18ftypisom"), "video"}, "GIF": {moving.Bytes(), "GIF"},
		"an animation": {animated, "animated"}, "SVG": {[]byte("<svg/>"), "PDF"}, "a PDF later": {[]byte("\n%PDF-1.7 %%EOF"), "PDF"},
		"a large photo": {append(evidencetest.JPEG(8, 8), make([]byte, mostPhotoBytes)...), "12 MB"},
		"lossless JPEG": {bytes.Replace(evidencetest.JPEG(8, 8), []byte{0xff, jpegSOF0}, []byte{0xff, 0xc3}, 1), "browsers"},
		"12 bits":       {bytes.Replace(evidencetest.JPEG(8, 8), []byte{0xff, jpegSOF0, 0, 17, 8}, []byte{0xff, jpegSOF0, 0, 17, 12}, 1), "12 bits"},
	} {
		_, err := prepareFile(tt.data)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
}

// TestProfilesStay: colours are part of the picture, text in their place is not.
func TestProfilesStay(t *testing.T) {
	profile := append(make([]byte, 36, 600), "acsp"...)
	profile = append(profile, bytes.Repeat([]byte{7}, 560)...)
	insert := func(body []byte) []byte {
		photo := evidencetest.JPEG(8, 8)
		out := binary.BigEndian.AppendUint16(append(bytes.Clone(photo[:2]), 0xff, jpegAPP2), uint16(2+len(body)))
		return append(append(out, body...), photo[2:]...)
	}
	for name, tt := range map[string]struct {
		body []byte
		stay bool
	}{
		"a profile": {append(bytes.Clone(iccMark), profile...), true}, "text": {append(bytes.Clone(iccMark), bytes.Repeat([]byte("x"), 600)...), false},
		"a huge one": {append(append(bytes.Clone(iccMark), profile...), make([]byte, mostProfile)...), false},
	} {
		p, err := prepareFile(insert(tt.body))
		if err != nil || bytes.Contains(p.kept, iccMark) != tt.stay {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzPhoto holds what is made of any bytes against what must be so.
func FuzzPhoto(f *testing.F) {
	turned := tags
	turned.Orientation = 6
	for _, data := range [][]byte{evidencetest.Phone(16, 8, turned), evidencetest.PhonePNG(16, 8, turned), evidencetest.PhoneWebP(true, turned), evidencetest.PhoneWebP(false, turned),
		evidencetest.JPEG(8, 8), evidencetest.PNG(8, 8), []byte("%PDF-1.7\n%%EOF"), []byte("\x00\x00\x00\x18ftypheic")} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		format, err := recognise(data)
		if err != nil || format.strip == nil {
			return
		}
		s, err := format.strip(data)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		if err := s.check(); err != nil {
			t.Fatalf("was let through: %v", err)
		}
		_, turn := readEXIF(s.exif, zone)
		again, err := format.strip(s.kept)
		if err != nil || !bytes.Equal(again.kept, s.kept) || again.exif != nil || again.frame != s.frame {
			t.Fatalf("what is kept is stripped to something else: %v", err)
		}
		upright := format.turn(s.kept, turn)
		back, err := format.strip(upright)
		if err != nil || !bytes.Equal(back.kept, s.kept) {
			t.Fatalf("what is turned is stripped to something else: %v", err)
		}
		if _, got := readEXIF(back.exif, zone); back.exif != nil && got != turn {
			t.Fatalf("turned %d, and says %d", turn, got)
		}
		if s.decoded > 4<<20 || s.width*s.height > 1<<20 {
			return // a fuzzer has other things to do
		}
		small, err := thumb(format.typ, s.kept, turn)
		if err != nil {
			return
		}
		if m, err := jpeg.DecodeConfig(bytes.NewReader(small)); err != nil || m.Width > thumbSide || m.Height > thumbSide {
			t.Fatalf("small: %+v, %v", m, err)
		}
		if m, err := decodeAny(format.typ, s.kept); err != nil || m.Bounds().Dx() != s.width || m.Bounds().Dy() != s.height {
			t.Fatalf("%d x %d, and is %v, %v", s.width, s.height, m.Bounds(), err)
		}
	})
}

// FuzzEXIF reads any bytes as a TIFF structure.
func FuzzEXIF(f *testing.F) {
	f.Add(tags.TIFF())
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		told, turn := readEXIF(data, zone)
		if !turn.valid() {
			t.Fatal(turn)
		}
		if p := told.Position; p != nil && !(math.Abs(p.Lon()) <= 180 && math.Abs(p.Lat()) <= 90) {
			t.Fatal(p)
		}
	})
}

func BenchmarkPhoto(b *testing.B) {
	for _, size := range [][2]int{{1600, 1200}, {4000, 3000}, {8160, 6120}} {
		data := evidencetest.Phone(size[0], size[1], tags)
		b.Run(fmt.Sprintf("%dMP", size[0]*size[1]/1_000_000), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := prepareFile(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
