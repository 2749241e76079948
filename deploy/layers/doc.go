// Package layers holds the borders between the parts of Switchlet: which
// package may import what. The rules are its test.
package layers
