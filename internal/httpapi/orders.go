package httpapi

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
	"lianqin/internal/table"
)

// maxOrders bounds the work orders of one request, each of which is entered on
// its own.
const maxOrders = 2000

// ordersForm is work orders of the hotline, as CSV or as objects, and what
// their columns or fields mean.
type ordersForm struct {
	Mapping json.RawMessage              `json:"mapping"`
	CSV     string                       `json:"csv"`
	Orders  []map[string]json.RawMessage `json:"orders"`
}

// table is the orders as CSV: objects become rows, in columns by name.
func (f *ordersForm) table() (io.Reader, error) {
	if f.CSV != "" && f.Orders != nil {
		return nil, fault.InvalidField("orders", "either csv or orders")
	}
	if f.Orders == nil {
		return strings.NewReader(f.CSV), nil
	}
	names := map[string]bool{}
	for _, o := range f.Orders {
		for name := range o {
			names[name] = true
		}
	}
	columns := slices.Sorted(maps.Keys(names))
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(columns) // to memory
	for i, o := range f.Orders {
		row := make([]string, len(columns))
		for k, name := range columns {
			value, err := plainText(o[name])
			if err != nil {
				return nil, fault.InvalidField("orders", "order %d, %s: %w", i+1, clipText(name), err)
			}
			row[k] = value
		}
		_ = w.Write(row)
	}
	w.Flush()
	return &b, nil
}

// plainText is a JSON string, number or null as text.
func plainText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	}
	if raw[0] == '{' || raw[0] == '[' {
		return "", fmt.Errorf("is neither text nor a number")
	}
	return string(raw), nil
}

// importOrders answers POST /api/v1/orders. What is there already is counted
// and not entered again; a row that cannot be entered costs itself alone.
func (a *API) importOrders(c *gin.Context) error {
	d, err := a.desk()
	if err != nil {
		return err
	}
	var f ordersForm
	if err := a.readLargeJSON(c, &f); err != nil {
		return err
	}
	m, err := casework.ReadMapping(bytes.NewReader(f.Mapping))
	if err != nil {
		return err
	}
	rows, err := f.table()
	if err != nil {
		return err
	}
	orders, bad, err := casework.ReadForeign(rows, m)
	if err != nil {
		return err
	}
	if len(orders) > maxOrders {
		return withStatus(http.StatusRequestEntityTooLarge, fault.InvalidField("orders", "%d at once are more than %d", len(orders), maxOrders))
	}
	for i := range orders {
		if orders[i].Channel == "" {
			orders[i].Channel = casework.ByHotline
		}
	}
	done, err := d.ImportOrders(c.Request.Context(), actorsOf(callerOf(c)), orders)
	if err != nil {
		return err
	}
	out := struct {
		Added    int               `json:"added"`
		Known    int               `json:"known"`
		Rejected []table.CellFault `json:"rejected"`
	}{done.Added, done.Known, []table.CellFault{}}
	for _, r := range append(bad, done.Rejected...) {
		out.Rejected = append(out.Rejected, table.CellFault{Line: r.Line, Column: fault.FieldOf(r.Error), Detail: r.Error.Error()})
	}
	return writeValue(c, http.StatusOK, out)
}
