//go:build race

package umltest

// raceDetector says whether this program was built with -race.
const raceDetector = true
