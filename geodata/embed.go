// Package geodata holds the data that ships inside the binary: the inputs of
// the demonstration district, the district generated from them, and the
// demonstration catalogue and departments. SOURCES.md tells the origin, the
// licence and the datum of each file.
//
// It holds bytes and reads nothing: demo reads the district's inputs, casework
// the other tables. None of it is an official boundary or
// register.
package geodata

import _ "embed"

var (
	// Outline is the district's outline as GeoJSON, one polygon, WGS-84.
	//go:embed jiading-outline.geojson
	Outline []byte

	// Streets is one CSV row a street: code, name, seat in WGS-84 degrees,
	// areas in km², numbers of grids and of patrol staff.
	//go:embed streets.csv
	Streets []byte

	// Villages are the villages and residential communities of the streets:
	// code, name, street code.
	//go:embed villages.csv
	Villages []byte

	// Departments are the organisations that cases go to: code, name, level.
	// Rows S01 to S17 are templates, one instance for each street or grid.
	//go:embed departments.csv
	Departments []byte

	// Catalogue is the demonstration catalogue of case items.
	//go:embed catalogue.csv
	Catalogue []byte

	// Calendar is the public holidays and the weekend days worked in exchange:
	// date, kind, name.
	//go:embed calendar.csv
	Calendar []byte

	// Standards is the register of the standards that work follows: code,
	// version, from, name.
	//go:embed standards.csv
	Standards []byte

	// Topics are items that are watched together: code, name, english, items.
	//go:embed topics.csv
	Topics []byte

	// PlainWords is how people speak of the catalogue's items: code, English,
	// Chinese words by which they are searched for.
	//go:embed plainwords.csv
	PlainWords []byte

	// District is the demonstration district, as demo generates it from the
	// files above: GeoJSON (RFC 7946), one grid a line.
	//go:embed district.geojson
	District []byte
)
