// Package cache is the format of the file that says who was heard by LLDP, so that a
// machine that has been started anew knows at once where its cables go, and is told by
// the next frames if that is still so.
//
// The file is a line with a checksum and JSON, in which each neighbour is its LLDPDU
// with times and addresses. Of a damaged one the caller hears, and nobody is known: it
// is never a reason to stop.
package cache
