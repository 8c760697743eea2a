package partition

import (
	"fmt"
	"strings"

	"lianqin/internal/geo"
)

// DefectKind says what is wrong at a place.
type DefectKind string

const (
	// InvalidRing crosses or retraces itself, or encloses nothing.
	InvalidRing DefectKind = "invalid-ring"
	// Crossing borders meet where neither has a vertex, or only one has.
	Crossing DefectKind = "crossing"
	// Overlap is a place that several faces claim.
	Overlap DefectKind = "overlap"
	// Gap is a long strip between faces that none claims: wider than the
	// tolerance, and still narrower than what somebody leaves out on purpose.
	Gap DefectKind = "gap"
	// Sliver is a gap or an overlap that is narrower than the tolerance.
	Sliver DefectKind = "sliver"
	// Uncovered is a hole in coverage too wide to be a slip of the pen. It is
	// reported and is no defect.
	Uncovered DefectKind = "uncovered"
)

// Defect is one thing that is wrong, where, and how large it is. Sizes are
// zero where they have no meaning.
type Defect struct {
	Kind DefectKind
	// Faces are those that claim the place, of a gap those around it, in
	// ascending order.
	Faces []FaceID
	// Owners is how many faces claim the place: 0 in a gap, 2 or more in an
	// overlap. It tells the two sorts of Sliver apart.
	Owners int
	// At is a place in it, a vertex where it is too thin for another.
	At     geo.Coord
	AreaM2 float64
	// WidthM is the diameter of the largest circle that fits.
	WidthM float64
	Msg    string
}

func (d Defect) String() string {
	var b strings.Builder
	b.WriteString(string(d.Kind))
	for i, f := range d.Faces {
		sep := " "
		if i > 0 {
			sep = "/"
		}
		fmt.Fprintf(&b, "%s%d", sep, f)
	}
	p := d.At.Point()
	fmt.Fprintf(&b, " at %.7f,%.7f", p[0], p[1])
	if d.AreaM2 > 0 {
		fmt.Fprintf(&b, " (%.1f m²)", d.AreaM2)
	}
	if d.Msg != "" {
		b.WriteString(": " + d.Msg)
	}
	return b.String()
}
