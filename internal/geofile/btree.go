package geofile

import (
	"encoding/binary"
	"errors"
)

// sqlitePages is the raw form of a SQLite database. SQLite itself survives
// damaged files, but it follows an interior page to its children without
// remembering where it has been: twenty levels of pages that all name each
// other keep it busy for ever. So the trees that we are going to scan are
// walked here first, and each page may be met once. Source: sqlite.org,
// Database File Format, 1.6.
type sqlitePages struct {
	data []byte
	size int // of a page
	seen []bool
}

var errPages = errors.New("the database's pages are damaged")

const (
	sqliteHeaderBytes = 100
	pageTableInterior = 5
	pageTableLeaf     = 13
)

func openPages(data []byte) (*sqlitePages, error) {
	if len(data) < sqliteHeaderBytes {
		return nil, errPages
	}
	size := int(binary.BigEndian.Uint16(data[16:]))
	if size == 1 {
		size = 65536
	}
	if size < 512 || size&(size-1) != 0 {
		return nil, errPages
	}
	return &sqlitePages{data: data, size: size, seen: make([]bool, len(data)/size+1)}, nil
}

// walk checks the table tree whose root is page number root, counted from 1.
func (p *sqlitePages) walk(root int64) error {
	todo := []int64{root}
	for len(todo) > 0 {
		number := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if number < 1 || number >= int64(len(p.seen)) || p.seen[number] {
			return errPages
		}
		p.seen[number] = true
		from := (number - 1) * int64(p.size)
		page, head := p.data[from:from+int64(p.size)], 0
		if number == 1 {
			head = sqliteHeaderBytes
		}
		switch page[head] {
		case pageTableLeaf:
			continue
		case pageTableInterior:
		default:
			return errPages
		}
		todo = append(todo, int64(binary.BigEndian.Uint32(page[head+8:])))
		cells := int(binary.BigEndian.Uint16(page[head+3:]))
		if head+12+2*cells > len(page) {
			return errPages
		}
		for i := range cells {
			at := int(binary.BigEndian.Uint16(page[head+12+2*i:]))
			if at+4 > len(page) {
				return errPages
			}
			todo = append(todo, int64(binary.BigEndian.Uint32(page[at:])))
		}
	}
	return nil
}
