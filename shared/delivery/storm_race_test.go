//go:build race

package delivery_test

// stormEvents is smaller with the race detector, which makes everything ten times slower and finds its races in a
// thousand events as well.
const stormEvents = 1_000
