package httpapi

import (
	"strconv"
	"unsafe"

	"lianqin/internal/scan"
)

// readNumber reads s as a whole, as a JSON number that may have a plus sign,
// spaces around it, or no digit before its point, as spreadsheets write them.
// Hexadecimals, NaN and infinities are no numbers.
func readNumber(s string) (float64, bool) {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	if len(s) == 0 || len(s) > 400 {
		return 0, false
	}
	if v, n := scan.Number(unsafe.Slice(unsafe.StringData(s), len(s))); n == len(s) {
		return v, true
	}
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' <= 9:
			digits++
		case c != '+' && c != '-' && c != '.' && c|0x20 != 'e':
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if ne, ok := err.(*strconv.NumError); ok && ne.Err != strconv.ErrRange {
		return 0, false
	}
	return v, digits > 0
}
