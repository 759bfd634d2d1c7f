//go:build !race

package pipectx_test

// raceDetector tells that the race detector is off.
const raceDetector = false
