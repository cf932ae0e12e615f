//go:build race

package badger

// raceDetector says that this build watches for data races, which makes it some ten times slower.
const raceDetector = true
