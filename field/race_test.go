//go:build race

package field_test

// raceDetector tells that the race detector is on, under which more escapes.
const raceDetector = true
