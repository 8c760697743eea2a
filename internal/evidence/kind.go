package evidence

import (
	"bytes"

	"lianqin/internal/fault"
)

// Type is a media type of what is kept.
type Type string

// The types.
const (
	JPEG Type = "image/jpeg"
	PNG  Type = "image/png"
	WebP Type = "image/webp"
	PDF  Type = "application/pdf"
)

// MostBytes is the size of the largest file that any kind may have.
const MostBytes = 20 << 20

const mostPhotoBytes = 12 << 20

// format is one kind of file that is kept.
type format struct {
	typ    Type
	ending string
	most   int // bytes
	begins func(head []byte) bool
	// strip is what is kept of a photo; nil for what is no photo.
	strip func(data []byte) (*stripped, error)
	// turn gives a stripped photo the one tag that says how to hold it up.
	turn func(kept []byte, o orientation) []byte
}

var formats = []*format{
	{JPEG, "jpg", mostPhotoBytes, starts("\xff\xd8\xff"), stripJPEG, turnJPEG},
	{PNG, "png", mostPhotoBytes, starts(pngSignature), stripPNG, turnPNG},
	{WebP, "webp", mostPhotoBytes, func(b []byte) bool { return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" }, stripWebP, turnWebP},
	{PDF, "pdf", MostBytes, starts("%PDF-"), nil, nil},
}

// others are what people send as well, each with what to do about it.
var others = []struct {
	begins func([]byte) bool
	what   string
}{
	{brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"), "HEIC 照片无法接收，请改发 JPEG a HEIC photo is not taken, send it as JPEG (iPhone: Settings, Camera, Formats, Most Compatible)"},
	{brand("avif", "avis"), "AVIF 图片无法接收，请改发 JPEG an AVIF picture is not taken, send it as JPEG"},
	{func(b []byte) bool { return len(b) >= 8 && string(b[4:8]) == "ftyp" }, "视频无法接收，请改发照片 a video is not taken, send photos"},
	{starts("GIF8"), "GIF 图片无法接收，请改发 JPEG 或 PNG a GIF picture is not taken, send it as JPEG or PNG"},
}

func starts(with string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(with)) }
}

// brand is a file of the ISO base media format with one of those major brands.
func brand(names ...string) func([]byte) bool {
	return func(b []byte) bool {
		if len(b) < 12 || string(b[4:8]) != "ftyp" {
			return false
		}
		for _, n := range names {
			if string(b[8:12]) == n {
				return true
			}
		}
		return false
	}
}

// recognise is what data is by its content. It is Invalid for what is not
// kept, and for what is too large of its kind.
func recognise(data []byte) (*format, error) {
	if len(data) == 0 {
		return nil, fault.InvalidField("file", "it is empty")
	}
	for _, f := range formats {
		if !f.begins(data) {
			continue
		}
		if len(data) > f.most {
			return nil, fault.InvalidField("file", "%d bytes of %s are more than %d MB", len(data), f.typ, f.most>>20)
		}
		return f, nil
	}
	for _, o := range others {
		if o.begins(data) {
			return nil, fault.InvalidField("file", "%s", o.what)
		}
	}
	return nil, fault.InvalidField("file", "只接收 JPEG、PNG、WebP 照片和 PDF it is neither a JPEG, PNG or WebP photo nor a PDF")
}

func formatOf(t Type) *format {
	for _, f := range formats {
		if f.typ == t {
			return f
		}
	}
	return nil
}

// checkPDF is Invalid for what only begins like a PDF, or was cut short.
func checkPDF(data []byte) error {
	if tail := data[max(0, len(data)-1024):]; !bytes.Contains(tail, []byte("%%EOF")) {
		return damaged("the PDF ends early")
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fault.InvalidField("file", "文件已损坏 the file is damaged: "+format, args...)
}
