package httpapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
)

type open311Definition struct {
	Code       string             `json:"service_code" xml:"service_code"`
	Attributes []open311Attribute `json:"attributes" xml:"attributes>attribute"`
}

// open311Attribute is a question that goes with an item or, when it is not
// Variable, something to be read.
type open311Attribute struct {
	Variable bool           `json:"variable" xml:"variable"`
	Code     string         `json:"code" xml:"code"`
	Datatype string         `json:"datatype" xml:"datatype"`
	Required bool           `json:"required" xml:"required"`
	Hint     open311Text    `json:"datatype_description" xml:"datatype_description"`
	Order    int            `json:"order" xml:"order"`
	Text     string         `json:"description" xml:"description"`
	Values   []open311Value `json:"values" xml:"values>value"`
}

type open311Value struct {
	Key  string `json:"key" xml:"key"`
	Name string `json:"name" xml:"name"`
}

// The codes of attributes.
const (
	aboutAttribute    = "ABOUT"
	seenAttribute     = "SEEN"
	accuracyAttribute = "ACCURACY"
	dangerAttribute   = "DANGER"
	assetAttribute    = "ASSET"
)

var dangers = []open311Value{
	{"none", "没有危险 No danger"},
	{"traffic", "妨碍通行 In the way of traffic"},
	{"people", "可能伤人 May hurt somebody"},
}

// open311Attributes are the questions that go with an item.
func open311Attributes(c *casework.Catalogue, t *casework.Item) []open311Attribute {
	hours := "全天计时 of all hours"
	if t.Clock == casework.Working {
		hours = "工作时间 working hours"
	}
	all := []open311Attribute{
		{Code: aboutAttribute, Datatype: "text",
			Text: fmt.Sprintf("%s 处置，派遣后 %d 小时内完成（%s）。有人身危险请拨打 110、119 或 120。Led by %s, to be done within %d hours of dispatch. In danger call 110, 119 or 120.",
				c.Instance(t.Lead, nil, nil).Name, t.DisposalHours, hours, c.Instance(t.Lead, nil, nil).Name, t.DisposalHours)},
		{Variable: true, Code: seenAttribute, Datatype: "datetime", Hint: "2026-03-01T09:30:00+08:00", Text: "何时看到 When it was seen; now when it is left out"},
		{Variable: true, Code: accuracyAttribute, Datatype: "number", Hint: "米 metres, 0–1000", Text: "定位精度 How exact lat and long are, as a radius"},
		{Variable: true, Code: dangerAttribute, Datatype: "singlevaluelist", Text: "有没有危险 Is it dangerous?", Values: dangers},
	}
	if t.Kind == casework.Component {
		all = append(all, open311Attribute{Variable: true, Code: assetAttribute, Datatype: "string", Hint: "杆号、井盖编号 number on the pole or cover", Text: "设施上的编号 The number on the thing itself"})
	}
	for i := range all {
		all[i].Order, all[i].Values = i+1, orEmpty(all[i].Values)
	}
	return all
}

// open311Definition answers GET /open311/v2/services/{code}.
func (a *API) open311Definition(c *gin.Context) error {
	code, f, err := open311Name(c.Param("code"))
	if err != nil {
		return err
	}
	if err := a.open311Asked(c); err != nil {
		return err
	}
	item, err := a.publicItem(code)
	if err != nil {
		return err
	}
	d, err := a.desk()
	if err != nil {
		return err
	}
	catalogue, err := d.Procedure().Catalogues.At(a.cfg.Now())
	if err != nil {
		return err
	}
	return writeOpen311One(c, f, "service_definition", open311Definition{code, open311Attributes(catalogue, item)})
}

// detailMark begins a line that we add below the words of a report: what comes
// after it is not shown to everybody.
const detailMark = "〔"

func detail(name, value string) string { return detailMark + name + "〕" + value }

// ownWords are the words of a report without the lines that were added.
func ownWords(text string) string {
	lines := strings.Split(text, "\n")
	if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, detailMark) }); i >= 0 {
		lines = lines[:i]
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
