package casework

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"lianqin/geodata"
	"lianqin/internal/fault"
)

func TestPlainWords(t *testing.T) {
	words, err := ReadPlainWords(bytes.NewReader(geodata.PlainWords))
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := ReadCatalogue(bytes.NewReader(geodata.Departments), bytes.NewReader(geodata.Catalogue))
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, item := range catalogue.Items() {
		w, ok := words[item.Code]
		if ok {
			known++
		}
		if public := item.Major.Code <= "07"; ok != public || public && len(w.Words) == 0 {
			t.Errorf("%s %s: words %v", item.Code, item.Name, w)
		}
	}
	if known != len(words) {
		t.Errorf("%d of %d words are of no item", len(words)-known, len(words))
	}
	if !slices.Contains(words["0109"].Words, "路灯不亮") {
		t.Errorf("a street light: %v", words["0109"])
	}
	for _, bad := range []string{"code,english\n", "code,english,words\n01,,x\n", "code,english,words\n01,a,x\n01,b,y\n"} {
		if _, err := ReadPlainWords(strings.NewReader(bad)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
