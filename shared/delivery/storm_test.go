//go:build !race

package delivery_test

// stormEvents is how much waits in TestTheStorm.
const stormEvents = 10_000
