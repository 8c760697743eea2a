package demo

// profile is how an item occurs: how often beside the others of its kind, at
// which hours and seasons, and how many of a hundred in urban grids.
type profile struct {
	weight int
	hours  *[24]int
	season *[12]int
	urban  int
}

// Weights of the hours of a day, from midnight.
var (
	byDaylight = [24]int{1, 1, 1, 1, 1, 2, 8, 30, 60, 70, 66, 50, 36, 50, 62, 62, 58, 48, 30, 20, 14, 10, 5, 2}
	onStreets  = [24]int{2, 1, 1, 1, 1, 4, 20, 46, 50, 48, 44, 46, 40, 36, 40, 44, 52, 60, 62, 60, 48, 30, 12, 5}
	atNight    = [24]int{50, 36, 24, 14, 8, 4, 4, 4, 6, 6, 6, 6, 8, 8, 8, 8, 10, 14, 24, 40, 56, 66, 70, 62}
	roundClock = [24]int{12, 9, 7, 6, 6, 10, 24, 44, 52, 54, 52, 50, 46, 46, 50, 52, 54, 54, 46, 40, 34, 28, 22, 16}
	inOffice   = [24]int{3, 2, 1, 1, 1, 3, 12, 40, 84, 96, 92, 62, 40, 66, 84, 82, 70, 48, 34, 30, 26, 20, 12, 6} // the hotline's
)

// Weights of the beginnings of the months; between them they run straight.
var (
	evenly   = [12]int{100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100}
	summer   = [12]int{60, 55, 80, 100, 120, 140, 150, 148, 125, 105, 80, 65}
	rains    = [12]int{30, 40, 60, 80, 100, 200, 220, 260, 180, 80, 40, 30}
	frost    = [12]int{300, 240, 60, 6, 1, 1, 1, 1, 1, 6, 40, 200}
	dry      = [12]int{120, 110, 90, 70, 110, 130, 60, 50, 70, 150, 160, 130}
	building = [12]int{90, 70, 100, 110, 115, 110, 95, 95, 110, 115, 115, 100}
	newYears = [12]int{300, 320, 60, 30, 20, 20, 20, 20, 30, 40, 60, 160}
)

// profiles are those of items that stand out; the others of a major are as the
// entry of its two digits says.
var profiles = map[string]profile{
	"01": {30, &byDaylight, &evenly, 62}, "02": {30, &byDaylight, &evenly, 62}, "03": {30, &byDaylight, &evenly, 66},
	"04": {30, &byDaylight, &summer, 66}, "05": {20, &byDaylight, &evenly, 48}, "06": {120, &byDaylight, &evenly, 60},
	"07": {110, &onStreets, &evenly, 72}, "08": {40, &byDaylight, &building, 50}, "09": {24, &byDaylight, &evenly, 55},
	"10": {30, &roundClock, &evenly, 50},

	"0109": {150, &atNight, &evenly, 62}, "0113": {60, &roundClock, &rains, 55}, "0201": {90, &byDaylight, &rains, 55}, "0202": {160, &byDaylight, &evenly, 76},
	"0302": {90, &byDaylight, &evenly, 74}, "0401": {90, &roundClock, &rains, 62}, "0402": {2, &byDaylight, &evenly, 40}, "0403": {90, &byDaylight, &summer, 70},
	"0504": {20, &byDaylight, &rains, 6}, "0115": {4, &byDaylight, &evenly, 70}, "0116": {6, &byDaylight, &evenly, 80}, "0511": {3, &byDaylight, &evenly, 80},

	"0601": {1400, &byDaylight, &summer, 58}, "0602": {520, &byDaylight, &building, 52}, "0603": {900, &byDaylight, &evenly, 74}, "0604": {180, &roundClock, &building, 56},
	"0605": {620, &byDaylight, &summer, 66}, "0607": {160, &atNight, &evenly, 34}, "0609": {380, &byDaylight, &summer, 68}, "0610": {220, &byDaylight, &summer, 38},
	"0611": {30, &byDaylight, &rains, 34}, "0612": {60, &byDaylight, &dry, 10}, "0613": {70, &onStreets, &summer, 80}, "0614": {260, &atNight, &summer, 70},
	"0615": {50, &roundClock, &summer, 26}, "0616": {150, &roundClock, &rains, 60}, "0617": {30, &roundClock, &frost, 60}, "0618": {560, &byDaylight, &evenly, 78},
	"0619": {240, &byDaylight, &evenly, 74}, "0620": {40, &byDaylight, &summer, 36},

	"0701": {1, &onStreets, &summer, 80}, "0702": {900, &onStreets, &evenly, 82}, "0703": {620, &byDaylight, &evenly, 72}, "0706": {160, &atNight, &summer, 78},
	"0707": {1500, &onStreets, &evenly, 80}, "0708": {1900, &onStreets, &evenly, 84}, "0709": {60, &byDaylight, &evenly, 58}, "0710": {140, &onStreets, &evenly, 70},
	"0711": {420, &byDaylight, &evenly, 80}, "0715": {40, &onStreets, &newYears, 90}, "0718": {90, &atNight, &summer, 76}, "0719": {150, &roundClock, &evenly, 64},

	"0801": {12, &byDaylight, &building, 30}, "0802": {90, &byDaylight, &building, 34}, "0803": {150, &byDaylight, &evenly, 62}, "0808": {140, &byDaylight, &building, 50},
	"0809": {80, &atNight, &building, 60}, "0811": {110, &atNight, &building, 42}, "0814": {170, &byDaylight, &evenly, 70}, "0815": {240, &byDaylight, &evenly, 72},

	"0901": {1, &byDaylight, &evenly, 52}, "0907": {3, &atNight, &newYears, 10}, "0914": {90, &byDaylight, &evenly, 74}, "0916": {160, &byDaylight, &summer, 60}, "0910": {4, &byDaylight, &evenly, 52},

	"1001": {2, &roundClock, &evenly, 40}, "1003": {1, &atNight, &evenly, 76}, "1004": {4, &atNight, &evenly, 52}, "1005": {640, &roundClock, &evenly, 60}, "1006": {180, &byDaylight, &evenly, 30},
	"1007": {900, &roundClock, &evenly, 62}, "1009": {40, &roundClock, &newYears, 36}, "1010": {20, &byDaylight, &evenly, 34}, "1011": {380, &byDaylight, &evenly, 20},
	"1013": {16, &roundClock, &dry, 44}, "1014": {12, &roundClock, &evenly, 58}, "1015": {8, &roundClock, &rains, 58}, "1016": {24, &roundClock, &rains, 46},
	"1017": {3, &onStreets, &newYears, 90}, "1018": {3, &byDaylight, &evenly, 58}, "1019": {420, &byDaylight, &evenly, 46},
}

// hotlineItems are what people telephone about, with weights. None of them
// counts among the four changes, so that those are the same with the orders
// and without.
var hotlineItems = map[string]int{
	"0109": 40, "0201": 30, "0614": 180, "0615": 60, "0605": 40, "0616": 50, "0707": 160, "0709": 30, "0719": 50, "0803": 120, "0805": 30,
	"0808": 50, "0814": 190, "0815": 90, "0816": 30, "0916": 25, "1005": 60, "1007": 70, "1011": 15, "1019": 90,
}

func profileOf(item string) profile {
	if p, ok := profiles[item]; ok {
		return p
	}
	if p, ok := profiles[item[:min(2, len(item))]]; ok {
		return p
	}
	return profile{20, &byDaylight, &evenly, 60}
}
