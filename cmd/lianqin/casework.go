package main

import (
	"bytes"
	"time"

	"lianqin/geodata"
	"lianqin/internal/casework"
	"lianqin/internal/locate"
	"lianqin/internal/store"
)

// desk is where cases are kept, and tells watchers of each. The catalogue and
// the embedded calendar count at the first start; later versions come over the
// web.
func desk(s *session, st *store.Store, indexes *locate.Indexes, catalogue *casework.Catalogue, watchers ...func(*casework.Kept)) (*casework.Desk, error) {
	hours, calendar, standards, err := workingRules()
	if err != nil {
		return nil, err
	}
	topics, err := casework.ReadTopics(bytes.NewReader(geodata.Topics))
	if err != nil {
		return nil, err
	}
	return casework.OpenDesk(s.ctx, st.Cases(), casework.DeskConfig{Indexes: indexes, Rules: casework.UsualRules(), Standards: standards,
		Hours: hours, Catalogue: catalogue, Calendar: calendar, Topics: topics, Archive: st.Cases(), Watchers: watchers})
}

// workingRules are the embedded ones.
func workingRules() (hours casework.Hours, calendar *casework.WorkingCalendar, standards *casework.Register, err error) {
	if hours, err = casework.ParseHours(casework.UsualHours); err != nil {
		return hours, nil, nil, err
	}
	if calendar, err = casework.ReadCalendar(bytes.NewReader(geodata.Calendar), hours); err != nil {
		return hours, nil, nil, err
	}
	standards, err = casework.ReadStandards(bytes.NewReader(geodata.Standards))
	return hours, calendar, standards, err
}

// embeddedProcedure is what decides in a district that has just begun.
func embeddedProcedure() (*casework.Procedure, error) {
	catalogue, err := (&serverFlags{}).catalogue()
	if err != nil {
		return nil, err
	}
	editions, err := casework.NewEditions(catalogue.Numbered(1, time.Time{}))
	if err != nil {
		return nil, err
	}
	_, calendar, standards, err := workingRules()
	return &casework.Procedure{Catalogues: editions, Calendar: calendar, Rules: casework.UsualRules(), Standards: standards}, err
}
