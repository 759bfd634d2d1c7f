//go:build race

package pipectx_test

// raceDetector tells that the race detector is on, under which everything takes
// longer.
const raceDetector = true
