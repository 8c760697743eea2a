// Package httpapi answers over HTTP: resolutions of points, the grids and
// streets as GeoJSON, TopoJSON, vector tiles and OGC API – Features, and the
// web application. It decodes requests, asks the domain packages, and turns
// faults into RFC 9457 problem documents.
//
// It decides nothing about a point or a case itself, keeps no state beyond
// what it prepared from the generation in force, and reads no settings from
// the environment.
package httpapi
