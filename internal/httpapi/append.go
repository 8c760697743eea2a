package httpapi

import (
	"math"
	"strconv"
	"unicode/utf8"

	"lianqin/internal/geo"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD, as in
// encoding/json.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			i++
			start = i
			continue
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendDegrees appends v units of 1e-7 degree as decimal degrees, exactly and
// without trailing zeros.
func appendDegrees(b []byte, v int32) []byte {
	u := uint32(v)
	if v < 0 {
		b = append(b, '-')
		u = -u
	}
	whole, frac := u/geo.UnitsPerDegree, u%geo.UnitsPerDegree
	switch {
	case whole >= 100:
		b = append(b, byte('0'+whole/100), byte('0'+whole/10%10), byte('0'+whole%10))
	case whole >= 10:
		b = append(b, byte('0'+whole/10), byte('0'+whole%10))
	default:
		b = append(b, byte('0'+whole))
	}
	if frac == 0 {
		return b
	}
	digits := [8]byte{'.'}
	for i := 7; i > 0; i-- {
		digits[i] = byte('0' + frac%10)
		frac /= 10
	}
	n := len(digits)
	for digits[n-1] == '0' {
		n--
	}
	return append(b, digits[:n]...)
}

func appendCoord(b []byte, c geo.Coord) []byte {
	b = append(b, '[')
	b = appendDegrees(b, c.X)
	b = append(b, ',')
	b = appendDegrees(b, c.Y)
	return append(b, ']')
}

// appendTenths appends v rounded to one decimal, and null when it is not
// finite.
func appendTenths(b []byte, v float64) []byte {
	n := math.Round(v * 10)
	if !(math.Abs(n) < 1e15) {
		return append(b, "null"...)
	}
	if n < 0 {
		b = append(b, '-')
	}
	u := uint64(math.Abs(n))
	b = strconv.AppendUint(b, u/10, 10)
	return append(b, '.', byte('0'+u%10))
}

// appendShare appends a share of [0, 1] with at most four decimals.
func appendShare(b []byte, v float64) []byte {
	return strconv.AppendFloat(b, math.Round(v*1e4)/1e4, 'f', -1, 64)
}
