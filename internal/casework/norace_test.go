//go:build !race

package casework

const raceEnabled = false
