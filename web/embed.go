// Package web holds the built front end, so that the program is one file. It
// serves nothing itself and knows no routes.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist is the built front end as `npm run build` leaves it: index.html for /,
// the page of each further app in a folder of its name, and assets/ whose
// names change with their contents. It is empty but for .gitkeep when the
// front end was not built before the program.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // only for an invalid path, and this one is constant
		panic(err)
	}
	return sub
}
