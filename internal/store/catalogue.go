package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"lianqin/internal/fault"
)

// table is one of our tables as the database itself describes it, so that a
// backup cannot forget one.
type table struct {
	Name    string   `json:"name"`
	Columns []column `json:"columns"`
	key     []string
}

type column struct {
	Name string     `json:"name"`
	Type columnType `json:"type"`
}

// columnType is a type that means the same in both databases.
type columnType string

const (
	intColumn   columnType = "int"
	floatColumn columnType = "float"
	textColumn  columnType = "text"
	blobColumn  columnType = "blob"
)

var columnTypes = map[string]columnType{
	"integer": intColumn, "bigint": intColumn,
	"real": floatColumn, "double precision": floatColumn,
	"text": textColumn,
	"blob": blobColumn, "bytea": blobColumn,
}

func (t table) names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// tables are all of ours, each after those that it refers to. Derived columns
// are left out. It is an error when a column has a type that does not mean the
// same in both databases.
func (s *Store) tables(ctx context.Context, q queryer) ([]table, error) {
	var all []table
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		var name, col, declared string
		var key bool
		if err := rows.Scan(&name, &col, &declared, &key); err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, table{Name: name})
		}
		t := &all[len(all)-1]
		kind, ok := columnTypes[declared]
		if !ok {
			return fault.New(fault.Internal, "column %s.%s has type %s, which cannot be carried to another database", name, col, declared)
		}
		t.Columns = append(t.Columns, column{col, kind})
		if key {
			t.key = append(t.key, col)
		}
		return nil
	}, s.d.columns)
	if err != nil {
		return nil, err
	}
	refers := make(map[string][]string)
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var from, to string
		err := rows.Scan(&from, &to)
		refers[from] = append(refers[from], to)
		return err
	}, s.d.references)
	return ordered(all, refers), err
}

// ordered puts tables after those they refer to, by name where it is free.
func ordered(all []table, refers map[string][]string) []table {
	slices.SortFunc(all, func(a, b table) int { return strings.Compare(a.Name, b.Name) })
	var out []table
	placed := make(map[string]bool)
	var place func(t table)
	place = func(t table) {
		if placed[t.Name] {
			return
		}
		placed[t.Name] = true
		for _, other := range all {
			if slices.Contains(refers[t.Name], other.Name) {
				place(other)
			}
		}
		out = append(out, t)
	}
	for _, t := range all {
		place(t)
	}
	return out
}
