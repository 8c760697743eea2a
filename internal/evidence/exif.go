package evidence

import (
	"bytes"
	"strings"
	"time"

	"github.com/bep/imagemeta"
	"github.com/paulmach/orb"

	"lianqin/internal/geo"
)

// Told is what a photo says of itself, for the sender to use or not: it is not
// kept with the photo.
type Told struct {
	Position *orb.Point // WGS-84 degrees; nil where it says none
	Taken    time.Time  // zero where it says none
}

// exifTags are those that are read.
var exifTags = map[string]bool{"Orientation": true, "GPSLatitude": true, "GPSLatitudeRef": true, "GPSLongitude": true, "GPSLongitudeRef": true,
	"DateTimeOriginal": true, "OffsetTimeOriginal": true}

// readEXIF reads a TIFF structure, of Exif 2.32. What it cannot read of it, it
// does without: a photo is as good with none.
func readEXIF(tiff []byte, zone *time.Location) (Told, orientation) {
	if len(tiff) == 0 {
		return Told{}, 1
	}
	tags := make(map[string]any, len(exifTags))
	_, _ = imagemeta.Decode(imagemeta.Options{R: bytes.NewReader(tiff), ImageFormat: imagemeta.TIFF, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return exifTags[t.Tag] && strings.HasPrefix(t.Namespace, "IFD0") },
		HandleTag: func(t imagemeta.TagInfo) error {
			if _, known := tags[t.Tag]; !known {
				tags[t.Tag] = t.Value
			}
			return nil
		},
		LimitNumTags: 500, LimitTagSize: 1000})
	turn := orientation(1)
	if v, ok := tags["Orientation"].(uint16); ok && orientation(v).valid() {
		turn = orientation(v)
	}
	return Told{positionTold(tags), timeTold(tags, zone)}, turn
}

// positionTold is nil, too, for 0, 0, which devices write that do not know.
func positionTold(tags map[string]any) *orb.Point {
	lon, east := degreesTold(tags, "GPSLongitude", "W")
	lat, north := degreesTold(tags, "GPSLatitude", "S")
	at := orb.Point{lon, lat}
	if _, err := geo.Quantise(at); !east || !north || err != nil || at == (orb.Point{}) {
		return nil
	}
	return &at
}

func degreesTold(tags map[string]any, name, negative string) (float64, bool) {
	v, ok := tags[name].(float64)
	if ref, _ := tags[name+"Ref"].(string); strings.HasPrefix(ref, negative) {
		v = -v
	}
	return v, ok
}

func timeTold(tags map[string]any, zone *time.Location) time.Time {
	text, _ := tags["DateTimeOriginal"].(string)
	offset, _ := tags["OffsetTimeOriginal"].(string)
	text = strings.TrimRight(text, "\x00 ")
	if at, err := time.Parse("2006:01:02 15:04:05-07:00", text+strings.TrimRight(offset, "\x00 ")); err == nil {
		return at.In(zone)
	}
	at, err := time.ParseInLocation("2006:01:02 15:04:05", text, zone)
	if err != nil {
		return time.Time{}
	}
	return at
}
