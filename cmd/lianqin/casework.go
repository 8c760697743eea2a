package main

import (
	"bytes"

	"lianqin/geodata"
	"lianqin/internal/casework"
	"lianqin/internal/locate"
	"lianqin/internal/store"
)

// desk is where cases are kept. The catalogue and the embedded calendar count
// at the first start; later versions come over the web.
func desk(s *session, st *store.Store, indexes *locate.Indexes, catalogue *casework.Catalogue) (*casework.Desk, error) {
	hours, err := casework.ParseHours(casework.UsualHours)
	if err != nil {
		return nil, err
	}
	calendar, err := casework.ReadCalendar(bytes.NewReader(geodata.Calendar), hours)
	if err != nil {
		return nil, err
	}
	standards, err := casework.ReadStandards(bytes.NewReader(geodata.Standards))
	if err != nil {
		return nil, err
	}
	return casework.OpenDesk(s.ctx, st.Cases(), casework.DeskConfig{Indexes: indexes, Rules: casework.UsualRules(), Standards: standards,
		Hours: hours, Catalogue: catalogue, Calendar: calendar})
}
