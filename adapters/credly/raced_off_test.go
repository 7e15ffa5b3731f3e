//go:build !race

package credly_test

const raced = false
