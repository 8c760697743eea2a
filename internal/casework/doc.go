// Package casework holds what the district does about what is found in its
// grids: the catalogue of items, each with the department that leads and the
// limits that it must keep.
//
// It reads the catalogue from the tables it is handed and knows no files,
// no database and no HTTP.
package casework
