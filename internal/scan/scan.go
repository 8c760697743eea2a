// Package scan reads JSON text in place, by position and without garbage, for
// batches where JSON would cost more than what is done with it. It checks what
// it reads and no more: whoever meets something unusual hands the value to
// encoding/json.
package scan

import (
	"strconv"
	"unsafe"
)

// pow10 are the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// Number reads the JSON number at the beginning of b. Its value is bit for
// bit that of strconv.ParseFloat (an overflow is ±Inf), n its length, 0 when b
// does not begin with a number.
//
// Up to 15 significant digits and 22 decimals, mantissa and power of ten are
// both exact, so that their quotient is rounded once (Clinger, How to Read
// Floating Point Numbers Accurately, 1990); other numbers go to strconv.
func Number(b []byte) (v float64, n int) {
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
		return exponent(b, i)
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

// exponent finishes Number at the e of a number's exponent.
func exponent(b []byte, i int) (float64, int) {
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

// Plain is the length of the string that b begins with, quotes included; 0 when
// there is none, or one with escapes or control characters.
func Plain(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < ' ' || c == '\\':
			return 0
		}
	}
	return 0
}

// Space is the place of the first byte from b[i] on that is no white space, or
// len(b).
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// ValueEnd is where the JSON value at b[i:] ends, if it is one.
func ValueEnd(b []byte, i int) int {
	depth, quoted := 0, false
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			if !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case c == ',' && depth == 0:
			return i
		}
	}
	return len(b)
}
