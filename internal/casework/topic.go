package casework

import (
	"io"
	"slices"
	"strings"

	"lianqin/internal/fault"
)

// Topic is some items that are watched together (专题), whatever their major.
type Topic struct {
	Code string `json:"code"`
	Words
	Items []string `json:"items"` // codes
}

// ReadTopics reads a table of code, name, english and items, which stand with
// spaces between them. It is Invalid, naming line and column, when a code is
// there twice or a topic has no items. Whether the catalogue has the items is
// not asked: it changes, and a case keeps what it was filed under.
func ReadTopics(r io.Reader) ([]Topic, error) {
	t, err := openTable("topics", r, "code", "name", "english", "items")
	if err != nil {
		return nil, err
	}
	var topics []Topic
	for t.next() {
		p := Topic{t.text("code"), Words{t.text("name"), t.text("english")}, strings.Fields(t.text("items"))}
		t.refuse(plain("code", p.Code))
		t.refuse(plain("name", p.Name))
		t.refuse(plain("english", p.Text))
		if slices.ContainsFunc(topics, func(o Topic) bool { return o.Code == p.Code }) {
			t.wrong("code", "%s is there twice", p.Code)
		}
		slices.Sort(p.Items)
		if len(slices.Compact(slices.Clone(p.Items))) < len(p.Items) {
			t.wrong("items", "one is there twice")
		}
		topics = append(topics, p)
	}
	return topics, t.err
}

// TopicOf is the topic of that code; Invalid when there is none.
func TopicOf(topics []Topic, code string) (*Topic, error) {
	i := slices.IndexFunc(topics, func(t Topic) bool { return t.Code == code })
	if i < 0 {
		return nil, fault.InvalidField("topic", "there is no topic %q", code)
	}
	return &topics[i], nil
}
