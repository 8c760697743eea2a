// Package live makes the frames of the wall's stream: a snapshot, then once a
// second what changed, for every jurisdiction that somebody reads, encoded
// once and handed to all its readers. docs/live.md describes the frames.
//
// A Hub looks at the present; Replay looks at the past, through the same code.
// Both see Pictures and know nothing of fixes' wire forms, of databases, of
// HTTP and of who is asking: a Scope is what a reader may see. What a Picture
// shows is the tracker's business.
package live
