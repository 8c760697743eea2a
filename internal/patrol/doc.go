// Package patrol knows who patrols, when and where: units, teams, devices and
// the roster, and for every unit its track, its current grid with hysteresis,
// its presence, and what of the district is covered.
//
// It is told fixes, positions in WGS-84 that ingest made of what devices send,
// in the order of a durable log, and says what follows from them as Effects,
// which the store enters in one transaction. What follows depends on the log,
// on the registry and on the boundaries alone, so that a restart, another
// process or a replay of the past comes to the same.
//
// It refuses to know wire formats, databases and who is asking, and it keeps
// no position of anybody who is not on duty.
package patrol
