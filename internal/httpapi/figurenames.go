package httpapi

import (
	"strings"

	"lianqin/internal/casework"
	"lianqin/internal/grid"
)

// channelNames are what channels are called in tables for people.
var channelNames = map[string]string{
	string(casework.ByPatrol): "巡防发现", string(casework.ByVillage): "村居上报", string(casework.ByPublic): "公众上报",
	string(casework.ByHotline): "12345 热线", string(casework.ByEmergency): "应急值守",
}

// keyNames says what the values of dimensions are called now; what has no name
// any more has none.
type keyNames struct {
	gen       *grid.Generation    // nil where none is in force
	catalogue *casework.Catalogue // nil likewise
	topics    []casework.Topic
}

func (a *API) keyNames(d *casework.Desk) keyNames {
	n := keyNames{topics: d.Topics()}
	if gen, ok := a.cfg.Atlas.Current(); ok {
		n.gen = gen
	}
	n.catalogue, _ = d.Procedure().Catalogues.At(a.cfg.Now())
	return n
}

// nameLines fills in the names of all lines.
func (a *API) nameLines(d *casework.Desk, f *casework.Figures) {
	n := a.keyNames(d)
	for dimension, lines := range f.By {
		first, second := dimension.Parts()
		for i := range lines {
			lines[i].Name, lines[i].AlsoName = n.of(first, lines[i].Key), n.of(second, lines[i].Also)
		}
	}
}

func (n *keyNames) of(d casework.Dimension, key string) string {
	switch d {
	case casework.PerStreet:
		return n.street(key)
	case casework.PerGrid:
		return n.grid(key)
	case casework.PerDepartment:
		return n.department(key)
	case casework.PerItem:
		return n.item(key)
	case casework.PerMajor:
		return n.major(key)
	case casework.PerChannel:
		return channelNames[key]
	case casework.PerTopic:
		if t, err := casework.TopicOf(n.topics, key); err == nil {
			return t.Name
		}
	}
	return ""
}

func (n *keyNames) street(code string) string {
	if n.gen != nil {
		if s, ok := n.gen.Street(code); ok {
			return s.Name
		}
	}
	return ""
}

func (n *keyNames) grid(code string) string {
	if n.gen != nil {
		if g, ok := n.gen.GridByCode(code); ok {
			return g.Name
		}
	}
	return ""
}

func (n *keyNames) item(code string) string {
	if n.catalogue != nil {
		if t, err := n.catalogue.Item(code); err == nil {
			return t.Name
		}
	}
	return ""
}

func (n *keyNames) major(code string) string {
	if n.catalogue != nil {
		for _, t := range n.catalogue.Items() {
			if t.Major.Code == code {
				return t.Major.Name
			}
		}
	}
	return ""
}

// department reads the code of a template's instance back: 310114004-S02 is
// S02 as it answers in street 310114004.
func (n *keyNames) department(code string) string {
	if n.catalogue == nil {
		return ""
	}
	at := strings.LastIndexByte(code, '-')
	if at < 0 || n.gen == nil {
		return n.catalogue.Instance(code, nil, nil).Name
	}
	if s, ok := n.gen.Street(code[:at]); ok {
		return n.catalogue.Instance(code[at+1:], nil, s).Name
	}
	if g, ok := n.gen.GridByCode(code[:at]); ok {
		return n.catalogue.Instance(code[at+1:], g, nil).Name
	}
	return n.catalogue.Instance(code, nil, nil).Name
}
