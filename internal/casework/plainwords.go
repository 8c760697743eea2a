package casework

import (
	"io"
	"strings"
)

// PlainWord is how people speak of an item who have not read the catalogue.
type PlainWord struct {
	English string
	Words   []string // Chinese, by which it is searched for
}

// PlainWords are those of items by code; an item need not have any.
type PlainWords map[string]PlainWord

// ReadPlainWords reads a table of code, english and words, which are separated
// by semicolons. It is Invalid, naming line and column, when a code is there
// twice.
func ReadPlainWords(r io.Reader) (PlainWords, error) {
	t, err := openTable("plain words", r, "code", "english", "words")
	if err != nil {
		return nil, err
	}
	out := PlainWords{}
	for t.next() {
		code, w := t.text("code"), PlainWord{English: t.text("english")}
		for word := range strings.SplitSeq(t.optional("words"), ";") {
			if word = strings.TrimSpace(word); word != "" {
				w.Words = append(w.Words, word)
			}
		}
		t.refuse(plain("code", code))
		t.refuse(plain("english", w.English))
		if _, twice := out[code]; twice {
			t.wrong("code", "%s is there twice", code)
		}
		out[code] = w
	}
	return out, t.err
}
