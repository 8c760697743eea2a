package httpapi

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"lianqin/internal/auth"
	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

// maxActedOn is how many cases one request may take further.
const maxActedOn = 200

// batchDeedForm is one action on many cases, each as the caller has seen it.
type batchDeedForm struct {
	Cases []caseSeen `json:"cases"`
	deedForm
}

// caseSeen is a case, and the last entry of its history that somebody has seen
// or made.
type caseSeen struct {
	ID  int64 `json:"id"`
	Seq int   `json:"seq"`
}

// refusedCase is a case that stays as it is, and why.
type refusedCase struct {
	ID    int64   `json:"id"`
	Error problem `json:"error"`
}

// actOnCases answers POST /api/v1/cases/actions/{action}: each case is decided
// and entered on its own, as if it were alone.
func (a *API) actOnCases(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f batchDeedForm
	if err := readJSON(c, &f); err != nil {
		return err
	}
	ids, err := f.ids()
	if err != nil {
		return err
	}
	caller := callerOf(c)
	deed, err := f.deed(caller, casework.Action(c.Param("action")))
	if err != nil {
		return err
	}
	own, err := a.ownCases(c, d, caller, ids)
	if err != nil {
		return err
	}
	out := struct {
		Done    []caseSeen    `json:"done"`
		Refused []refusedCase `json:"refused"`
	}{[]caseSeen{}, []refusedCase{}}
	var away error // the database is: it is not asked for each of the rest
	for _, k := range f.Cases {
		deed.Case, deed.Seq = k.ID, k.Seq
		err := away
		switch {
		case err != nil:
		case !own[k.ID]:
			err = fault.New(fault.NotFound, "there is no case %q", strconv.FormatInt(k.ID, 10))
		default:
			var after *casework.Record
			if after, err = d.Act(c.Request.Context(), deed); err == nil {
				out.Done = append(out.Done, caseSeen{after.Case.ID, after.Case.Seq})
				continue
			}
			if fault.KindOf(err) == fault.Unavailable {
				away = err
			}
		}
		p, _ := a.problemOf(c, err)
		out.Refused = append(out.Refused, refusedCase{k.ID, p})
	}
	return writeValue(c, http.StatusOK, out)
}

// ids are the cases of f, each of which is there once.
func (f *batchDeedForm) ids() ([]int64, error) {
	if f.Seq != 0 {
		return nil, fault.InvalidField("seq", "belongs to each of cases")
	}
	if n := len(f.Cases); n == 0 || n > maxActedOn {
		return nil, fault.InvalidField("cases", "%d are not 1 to %d", n, maxActedOn)
	}
	ids, seen := make([]int64, len(f.Cases)), make(map[int64]bool, len(f.Cases))
	for i, k := range f.Cases {
		if seen[k.ID] {
			return nil, fault.InvalidField("cases", "case %d is there twice", k.ID)
		}
		ids[i], seen[k.ID] = k.ID, true
	}
	return ids, nil
}

// ownCases says which of ids are there and caller's business.
func (a *API) ownCases(c *gin.Context, d *casework.Desk, caller auth.Caller, ids []int64) (map[int64]bool, error) {
	found, err := d.Find(c.Request.Context(), casework.Search{IDs: ids})
	if err != nil {
		return nil, err
	}
	own := make(map[int64]bool, len(ids))
	for i := range found.Records {
		k := &found.Records[i].Case
		own[k.ID] = coversCase(caller.Jurisdiction, k)
	}
	return own, nil
}
