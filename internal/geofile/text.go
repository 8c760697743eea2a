package geofile

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// charset is a text encoding met in Chinese GIS files. GB18030 contains GBK,
// which contains GB 2312.
type charset int

const (
	unknownCharset charset = iota
	utf8Text
	gb18030
	windows1252
)

func (c charset) String() string {
	return [...]string{"unknown", "UTF-8", "GB18030", "Windows-1252"}[c]
}

// charsetByName reads a .cpg file's content or an XML declaration's encoding.
func charsetByName(name string) charset {
	plain := strings.ToUpper(strings.NewReplacer("-", "", "_", "", " ", "", "ANSI", "", "CP", "").
		Replace(strings.ToUpper(strings.Trim(name, "\ufeff\x00 \t\r\n"))))
	switch plain {
	case "UTF8", "65001":
		return utf8Text
	case "GBK", "GB2312", "GB18030", "936", "54936", "WINDOWS936", "EUCCN":
		return gb18030
	case "1252", "WINDOWS1252", "ISO88591", "88591", "LATIN1":
		return windows1252
	}
	return unknownCharset
}

var errNotText = errors.New("bytes that are not text in the encoding")

// decodeText turns b into UTF-8; every byte must be valid in c.
func decodeText(b []byte, c charset) ([]byte, error) {
	var dec *encoding.Decoder
	switch c {
	case gb18030:
		dec = simplifiedchinese.GB18030.NewDecoder()
	case windows1252:
		dec = charmap.Windows1252.NewDecoder()
	default:
		if !utf8.Valid(b) {
			return nil, errNotText
		}
		return b, nil
	}
	out, err := dec.Bytes(b)
	if err == nil && bytes.ContainsRune(out, utf8.RuneError) {
		err = errNotText
	}
	return out, err
}

// decodeField is decodeText for a field of fixed width, whose writer may have
// cut the last character in half: that half is dropped. Anything else that is
// invalid becomes U+FFFD.
func decodeField(b []byte, c charset) string {
	if ascii(b) {
		return string(b)
	}
	if out, err := decodeText(b, c); err == nil {
		return string(out)
	}
	for cut := 1; cut < 4 && cut < len(b); cut++ {
		if out, err := decodeText(b[:len(b)-cut], c); err == nil {
			return string(out)
		}
	}
	if c == gb18030 {
		out, _ := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
		return string(out)
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fits reports whether b is text in c, but for a character cut at the end.
func fits(b []byte, c charset) bool {
	for cut := 0; cut < 4 && cut <= len(b); cut++ {
		if _, err := decodeText(b[:len(b)-cut], c); err == nil {
			return true
		}
	}
	return false
}

// guessCharset decides for samples of one table that says nothing of its
// encoding. Chinese in GBK is hardly ever valid UTF-8, so UTF-8 goes first.
func guessCharset(samples func(yield func([]byte) bool)) charset {
	isUTF8, isGB, plain := true, true, true
	for b := range samples {
		if ascii(b) {
			continue
		}
		plain = false
		isUTF8 = isUTF8 && fits(b, utf8Text)
		isGB = isGB && fits(b, gb18030)
		if !isUTF8 && !isGB {
			break
		}
	}
	switch {
	case plain || isUTF8:
		return utf8Text
	case isGB:
		return gb18030
	}
	return windows1252
}
