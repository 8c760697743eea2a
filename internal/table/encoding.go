package table

import (
	"strings"
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

func (e Encoding) check() error {
	if e != UTF8 && e != GB18030 {
		return fault.InvalidField("encoding", "%q is not utf-8 or gb18030", e)
	}
	return nil
}

// encode writes s in e. GB18030 has all of Unicode; what is not Unicode becomes
// its replacement character.
func (e Encoding) encode(s string) []byte {
	if e == GB18030 {
		if b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(strings.ToValidUTF8(s, "\ufffd"))); err == nil {
			return b
		}
	}
	return []byte(s)
}

// whole is b without the part of a character that it may end with.
func (e Encoding) whole(b []byte) []byte {
	for cut := 1; e == UTF8 && cut < utf8.UTFMax && cut <= len(b); cut++ {
		if last := b[len(b)-cut:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return b[:len(b)-cut]
			}
			break
		}
	}
	return b
}
