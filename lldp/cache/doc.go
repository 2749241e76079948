// Package cache keeps on disk who was heard by LLDP, so that a machine that has been
// started anew knows at once where its cables go, and is told by the next frames if
// that is still so.
//
// The file is a line with a checksum and JSON, in which each neighbour is its LLDPDU
// with times and addresses. A damaged file is moved aside, the caller hears of it,
// and nobody is known: it is never a reason to stop.
package cache
