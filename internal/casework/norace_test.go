//go:build !race

package casework

const raceDetector = false
