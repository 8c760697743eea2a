package table

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"lianqin/internal/fault"
)

// Encoding is the character encoding of a CSV. Delimiters, quotes and line
// ends are single bytes of their own in both.
type Encoding string

const (
	UTF8 Encoding = "utf-8"
	// GB18030 includes GBK and GB2312, what Chinese spreadsheets save.
	GB18030 Encoding = "gb18030"
)

// encodingOf tells the encodings apart by head, which may end within a
// character.
func encodingOf(head []byte) Encoding {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n <= 1 {
			if !utf8.FullRune(head) {
				return UTF8
			}
			return GB18030
		}
		head = head[n:]
	}
	return UTF8
}

// decode turns a header's bytes into text; what is not of the encoding stays
// recognisable as U+FFFD.
func (e Encoding) decode(b []byte) string {
	if e == GB18030 {
		if text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil {
			return string(text)
		}
	}
	return string(b)
}

func (e Encoding) encode(s string) ([]byte, error) {
	switch e {
	case UTF8:
		return []byte(s), nil
	case GB18030:
		return simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	}
	return nil, fault.InvalidField("encoding", "%q is not utf-8 or gb18030", e)
}
