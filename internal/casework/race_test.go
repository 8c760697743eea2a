//go:build race

package casework

// raceEnabled: the detector makes everything ten times as slow.
const raceEnabled = true
