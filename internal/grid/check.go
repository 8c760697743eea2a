package grid

import (
	"fmt"
	"math"
	"time"
)

// Check is what was found when a generation was held against the one before
// it. It speaks of the content with Hash, and of no other.
type Check struct {
	ID         int64     `json:"id"`
	Generation int       `json:"generation"`
	Hash       string    `json:"hash"`
	Base       int       `json:"base"` // the generation compared with; 0 when it would be the first
	At         time.Time `json:"at"`
	By         string    `json:"by"`
	// Sound generations may be published; none of the Findings refuses it.
	Sound    bool      `json:"sound"`
	Findings []Finding `json:"findings"`
}

// Finding is one thing that a check has to say. Those that do not refuse the
// generation are for a person to look at.
type Finding struct {
	Refuses bool   `json:"refuses"`
	Grid    string `json:"grid,omitempty"` // code, when it is about one grid
	Detail  string `json:"detail"`         // in Chinese and English
}

func (f Finding) String() string {
	if f.Grid == "" {
		return f.Detail
	}
	return "网格 grid " + f.Grid + ": " + f.Detail
}

// maxFindings bounds what one check keeps.
const maxFindings = 500

// findings is the comparison of gen, whose borders are proven, with base,
// which is nil for the first.
func findings(gen, base *Generation) (found []Finding, err error) {
	say := func(refuses bool, grid, format string, args ...any) {
		if len(found) < maxFindings || refuses && refusal(found) == "" {
			found = append(found, Finding{refuses, grid, fmt.Sprintf(format, args...)})
		}
	}
	for _, g := range gen.Grids() {
		switch {
		case g.Street == "":
			say(false, g.Code, "未注明街镇 no street")
		case g.Department.Code == "":
			say(false, g.Code, "未注明责任部门 no department")
		case g.Kind == "":
			say(false, g.Code, "未注明城区或自治 neither urban nor autonomous")
		}
	}
	if base == nil {
		return found, nil
	}
	d, err := Compare(base, gen)
	if err != nil {
		return nil, err
	}
	if d.Same() {
		say(false, "", "与第 %d 版没有差别 nothing differs from generation %[1]d", base.Number())
	}
	if lost := d.LostM2; lost >= 1 {
		say(false, "", "%.0f m² 将不再属于任何网格 of the district would belong to no grid any more", lost)
	}
	if gained := d.GainedM2; gained >= 1 {
		say(false, "", "辖区将扩大 the district would grow by %.0f m²", gained)
	}
	for _, c := range d.Grids {
		switch {
		case c.Kind == Gone:
			say(false, c.Code, "撤销 is gone")
		case c.Kind == Added:
			say(false, c.Code, "新增 is new")
		case c.moved():
			say(true, c.Code, "内部编号 ID %d 在第 %d 版中属于别处的网格，编号不可再用 belonged to a grid somewhere else in generation %[2]d: an ID is never used again", c.ID, base.Number())
		case math.Abs(c.AreaM2-c.BaseAreaM2) > c.BaseAreaM2/2:
			say(false, c.Code, "面积变化过半 its area goes from %.0f to %.0f m²", c.BaseAreaM2, c.AreaM2)
		}
	}
	return found, nil
}

// refusal is the first finding that refuses, or empty.
func refusal(found []Finding) string {
	for _, f := range found {
		if f.Refuses {
			return f.String()
		}
	}
	return ""
}
