//go:build !race

package field_test

// raceDetector tells that the race detector is off.
const raceDetector = false
