//go:build !race

package rest

const countable = true
