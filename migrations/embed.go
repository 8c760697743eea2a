// Package migrations holds the database schema's history, one folder for each
// database, to be read by store and by people. A file that was released is
// never changed; what comes next is a new file with the next number in both
// folders. It runs nothing.
package migrations

import "embed"

// FS has the folders sqlite and postgres.
//
//go:embed sqlite/*.sql postgres/*.sql
var FS embed.FS
