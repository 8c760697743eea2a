package patrol

import "time"

// Settings are what a district may choose. DefaultSettings says what for.
type Settings struct {
	// MaxSpeedMPS is the greatest speed that a fix is believed at.
	MaxSpeedMPS float64
	// OwedUrban and OwedAutonomous are how long a grid of that kind may go
	// without a visit.
	OwedUrban, OwedAutonomous time.Duration
}

// DefaultSettings believe 252 km/h, faster than anything that patrols and
// slower than the leaps of a receiver between tall buildings; and owe a visit
// four times a shift where a full-time team walks, and once a shift elsewhere.
func DefaultSettings() Settings {
	return Settings{MaxSpeedMPS: 70, OwedUrban: 2 * time.Hour, OwedAutonomous: 8 * time.Hour}
}

const (
	// maxAhead is how far a device's clock may run ahead of ours.
	maxAhead = 5 * time.Minute
	// maxAge is how old a fix may be when it comes in.
	maxAge = 30 * 24 * time.Hour
	// maxAccuracyM is the accuracy of the last fix that a track takes.
	maxAccuracyM = 1000
	// unknownAccuracyM stands for an accuracy that a device did not tell, when
	// speeds are judged: a phone's on a street between houses.
	unknownAccuracyM = 30
	// agreeing is how many fixes in a row that agree with one another count for
	// more than those before them.
	agreeing = 3
	// leastMarginM is how far outside its grid a unit must at least be to have
	// left it: one and a half times the noise of a phone in the open.
	leastMarginM = 15
	// movingAccuracyM is the accuracy of the last fix that moves the confirmed
	// grid.
	movingAccuracyM = 100
	// outsideFor is how long outside is as good as two fixes in a row.
	outsideFor = 20 * time.Second
	// farM bounds the distance to a border that evidence tells.
	farM = 1000
)

// The rules that make crossings, as events tell them.
const (
	ruleFirst   = "first fix"
	ruleFixes   = "2 fixes"
	ruleTime    = "20 s"
	ruleBorders = "new borders"
	ruleClock   = "wrong clock"
	ruleButton  = "button"
	ruleSilence = "5 min"
	ruleHeard   = "heard"
	ruleDatum   = "fits as GCJ-02"
	// ruleLate comes before the rule of an event that late fixes made.
	ruleLate = "late fixes: "
)
