package httpapi

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"lianqin/internal/fault"
	"lianqin/internal/ingest"
)

func (a *API) station() (*ingest.Station, error) {
	if a.cfg.Ingest == nil {
		return nil, fault.New(fault.Unavailable, "devices do not report here")
	}
	return a.cfg.Ingest, nil
}

// takePositions answers POST /api/v1/positions: once every position is durable
// that is one.
func (a *API) takePositions(c *gin.Context) error {
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	station, err := a.station()
	if err != nil {
		return err
	}
	media, _, err := formOf(c.Request.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	form, known := map[batchForm]ingest.Form{jsonForm: ingest.JSON, linesForm: ingest.NDJSON}[media]
	if !known {
		return withStatus(http.StatusUnsupportedMediaType, fault.InvalidField("Content-Type", "send application/json or application/x-ndjson"))
	}
	staff, err := a.registry()
	if err != nil {
		return err
	}
	from, err := senderOf(callerOf(c), staff.Staff(), a.cfg.Atlas)
	if err != nil {
		return err
	}
	in, err := a.readBody(c.Request)
	if err != nil {
		return err
	}
	defer in.release()
	receipt, err := station.Positions(c.Request.Context(), from, form, in.bytes)
	if _, ok := errors.AsType[*ingest.TooMany](err); ok {
		return withStatus(http.StatusRequestEntityTooLarge, err)
	}
	if err != nil {
		return err
	}
	return writeValue(c, http.StatusOK, receipt)
}

// takeReport answers a phone's request, in whichever form it is, as that form
// has it.
func (a *API) takeReport(c *gin.Context) error {
	station, err := a.station()
	if err != nil {
		return err
	}
	station.ServeRequest(c.Writer, c.Request, a.address(c.Request))
	return nil
}
