package evidence

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	thumbSide    = 320 // pixels of the longer side
	thumbQuality = 80
)

// thumb decodes a stripped photo and makes a small JPEG of it, upright. It is
// Invalid for what cannot be decoded to the end.
func thumb(t Type, kept []byte, o orientation) ([]byte, error) {
	decode := jpeg.Decode
	switch t {
	case PNG:
		decode = png.Decode
	case WebP:
		decode = webp.Decode
	}
	m, err := decode(bytes.NewReader(kept))
	if err != nil {
		return nil, damaged("%w", err)
	}
	size := m.Bounds().Size()
	scale := min(1, float64(thumbSide)/float64(max(size.X, size.Y)))
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(size.X)*scale+0.5)), max(1, int(float64(size.Y)*scale+0.5))))
	draw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src) // behind what is transparent
	draw.BiLinear.Scale(small, small.Bounds(), m, m.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(small, o), &jpeg.Options{Quality: thumbQuality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// upright is m as o says that it is to be held up, of Exif 2.32 §4.6.5.
func upright(m *image.RGBA, o orientation) *image.RGBA {
	if o <= 1 || !o.valid() {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if o.sideways() {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := [...][2]int{2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x}}[o]
			out.SetRGBA(to[0], to[1], m.RGBAAt(x, y))
		}
	}
	return out
}
