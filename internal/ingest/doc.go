// Package ingest turns what devices send, each in its own protocol, into
// patrol.Batch: positions in WGS-84, metres and metres a second. Station finds
// out who sends, decodes, refuses with a reason what is no position of a unit,
// hands the rest on, and answers in the protocol's way only once it is
// durable. SetupFor makes the links that set up a phone's app.
//
// Decoders are pure, one file for each protocol: own JSON (api.go), OsmAnd and
// Traccar Client (osmand.go, traccar.go), OwnTracks over HTTP and MQTT
// (owntracks.go), JT/T 808 (jt808.go).
//
// The package knows no database and no duty: whether a unit is on duty, and
// whether a position can be true beside its neighbours, is patrol's business.
// It keeps no secret, and no secret is part of what it hands on.
package ingest
