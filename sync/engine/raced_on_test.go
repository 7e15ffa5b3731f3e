//go:build race

package engine_test

// raced: the race detector is on, which makes all take many times as long. It then
// sees a part of what tests have many cases of; all of them run without it.
const raced = true
