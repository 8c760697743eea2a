package httpapi

import (
	"strconv"
	"unsafe"
)

// pow10 are the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// scanNumber reads the JSON number at the beginning of b. Its value is bit for
// bit that of strconv.ParseFloat (an overflow is ±Inf), n its length, 0 when b
// does not begin with a number.
//
// Up to 15 significant digits and 22 decimals, mantissa and power of ten are
// both exact, so that their quotient is rounded once (Clinger, How to Read
// Floating Point Numbers Accurately, 1990); other numbers go to strconv.
func scanNumber(b []byte) (v float64, n int) {
	i := 0
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	mantissa, digits := uint64(0), i
	for i < len(b) && b[i]-'0' <= 9 {
		mantissa = mantissa*10 + uint64(b[i]-'0')
		i++
	}
	if i == digits || b[digits] == '0' && i > digits+1 {
		return 0, 0 // no digit, or a zero before others
	}
	length, decimals := i-digits, 0
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for i < len(b) && b[i]-'0' <= 9 {
			mantissa = mantissa*10 + uint64(b[i]-'0')
			i++
		}
		if decimals = i - point; decimals == 0 {
			return 0, 0
		}
		length += decimals
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		return scanExponent(b, i)
	}
	if length > 15 {
		return parseFloat(b[:i]), i
	}
	v = float64(mantissa) / pow10[decimals]
	if negative {
		v = -v
	}
	return v, i
}

// scanExponent finishes scanNumber at the e of a number's exponent.
func scanExponent(b []byte, i int) (float64, int) {
	i++
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	digits := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == digits {
		return 0, 0
	}
	return parseFloat(b[:i]), i
}

func parseFloat(b []byte) float64 {
	v, _ := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	return v
}

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
	if v, n := scanNumber(unsafe.Slice(unsafe.StringData(s), len(s))); n == len(s) {
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
