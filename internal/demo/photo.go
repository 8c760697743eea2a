package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// PhotoName is the name in the store of the photo that all evidence of the
// demonstration's cases shows.
const PhotoName = "demonstration.jpg"

// Photo is that photo, a JPEG: it says that it is none.
func Photo() ([]byte, error) { return photo(960, 720) }

// SmallPhoto is the same, as small as can be read: for the cases of now, each
// of which has photos of its own.
func SmallPhoto() ([]byte, error) { return photo(160, 120) }

func photo(width, height int) ([]byte, error) {
	paper, line, ink := color.RGBA{0xe8, 0xec, 0xf0, 0xff}, color.RGBA{0xc4, 0xcf, 0xda, 0xff}, color.RGBA{0x3b, 0x4a, 0x5a, 0xff}
	small := image.NewRGBA(image.Rect(0, 0, 160, 120))
	for y := range 120 {
		for x := range 160 {
			c := paper
			if x%20 == 0 || y%20 == 0 {
				c = line
			}
			small.SetRGBA(x, y, c)
		}
	}
	for i, text := range []string{"LIANQIN", "DEMONSTRATION", "not a real photo"} {
		d := font.Drawer{Dst: small, Src: image.NewUniform(ink), Face: basicfont.Face7x13}
		d.Dot = fixed.Point26_6{X: (fixed.I(160) - d.MeasureString(text)) / 2, Y: fixed.I(46 + 18*i)}
		d.DrawString(text)
	}
	large := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.NearestNeighbor.Scale(large, large.Rect, small, small.Rect, draw.Src, nil)
	var b bytes.Buffer
	err := jpeg.Encode(&b, large, &jpeg.Options{Quality: 80})
	return b.Bytes(), err
}
