package httpapi

import "sync"

// maxDiffs is how many comparisons are kept.
const maxDiffs = 16

// diffs keeps comparisons of generations, which take a second to make and
// never change. Its zero value is ready.
type diffs struct {
	mu   sync.Mutex
	kept map[[2]int]*document
}

// of is the comparison of two generations. They are made one at a time.
func (s *diffs) of(base, next *district) (*document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [2]int{base.gen.Number(), next.gen.Number()}
	if doc := s.kept[key]; doc != nil {
		return doc, nil
	}
	doc, err := diffJSON(base, next)
	if err != nil {
		return nil, err
	}
	if s.kept == nil || len(s.kept) >= maxDiffs {
		s.kept = make(map[[2]int]*document)
	}
	s.kept[key] = doc
	return doc, nil
}
