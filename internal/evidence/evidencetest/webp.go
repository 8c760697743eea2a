package evidencetest

import (
	"encoding/base64"
	"encoding/binary"
)

// WebP is a picture of one pixel, lossy or not.
func WebP(lossless bool) []byte {
	text := "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"
	if lossless {
		text = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}

// PhoneWebP is one with tags, XMP and a chunk that nobody knows.
func PhoneWebP(lossless bool, t Tags) []byte {
	chunk := func(b []byte, name, body string) []byte {
		b = binary.LittleEndian.AppendUint32(append(b, name...), uint32(len(body)))
		return append(append(b, body...), make([]byte, len(body)&1)...)
	}
	out := chunk([]byte("RIFF\x00\x00\x00\x00WEBP"), "VP8X", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	out = append(out, WebP(lossless)[12:]...)
	out = chunk(out, "NOTE", Secret+".")
	out = chunk(out, "EXIF", string(t.TIFF()))
	out = chunk(out, "XMP ", Secret)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return append(out, Secret...)
}
