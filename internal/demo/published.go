package demo

// figures are the numbers of cases that a year is made to have.
type figures struct {
	events, components int // accepted grid cases
	disposed           int // of those, by the end of the year
	orders             int // accepted 12345 orders, apart from the grid cases
	finished, onTime   int // of those, by the end of the year
	robberies          int // of the events, as are the following
	enforcement        int // Enforcement, of which
	stalls             int
	medicine           int

	// Beside what was accepted; the published description does not tell.
	refused, discarded, selfHandled int
}

// published is the year of the published description: 298,694 accepted are
// 287,894 grid cases and 10,800 orders; 287,241 disposed are 99.77 % of the
// grid cases; 10,301 finished are 95.38 % and 10,208 on time 94.52 % of the
// orders.
//
// Of street robberies, enforcement, stalls and unlicensed medicine it tells
// only by how much they fell. Robberies and medicine have the smallest two
// whole numbers whose change rounds to that: 36 → 17 is −52.8 %, 121 → 60 is
// −50.41 %. So small, stalls (159 → 88) and enforcement (69 → 43) would not
// look like a city: of those the number of this year is chosen, and that of
// the year before is the smallest that makes the change: 22,510 → 12,460 is
// −44.65 %, 66,266 → 41,300 is −37.68 %.
var published = figures{
	events: 270_082, components: 17_812, disposed: 287_241,
	orders: 10_800, finished: 10_301, onTime: 10_208,
	robberies: 17, enforcement: 41_300, stalls: 12_460, medicine: 60,
	refused: 3_120, discarded: 1_040, selfHandled: 11_600,
}

// before is the year before, of which only the four changes are known; the
// rest is invented: somewhat fewer cases, somewhat slower.
var before = figures{
	events: 266_940, components: 16_255, disposed: 281_610,
	orders: 9_917, finished: 9_312, onTime: 9_128,
	robberies: 36, enforcement: 66_266, stalls: 22_510, medicine: 121,
	refused: 3_480, discarded: 1_260, selfHandled: 9_200,
}

// The items of the four changes.
const (
	Robbery  = "1003" // 街面抢劫抢夺
	Stalls   = "0701" // 流动设摊
	Medicine = "0901" // 非法行医
)

// Enforcement are the items of enforcement cases: those that the street's
// law-enforcement squad or market supervision leads, and unlicensed medicine.
var Enforcement = []string{
	"0607", "0612", "0613", "0619",
	"0701", "0702", "0703", "0704", "0705", "0706", "0711", "0712", "0713", "0714", "0716", "0717", "0718",
	"0801", "0802", "0809", "0811",
	"0901", "0902", "0903", "0904", "0905", "0906", "0908", "0909", "0910", "0913", "0914",
}
