// Package converge makes a switch what its SwitchConfig says, and keeps it so.
//
// One goroutine owns all state and goes through the same step whenever anything
// has happened, be it a new spec, a row changed by hand or a Redis that is back:
//
//	refresh → render → diff → validate → journal → write, waiting for markers →
//	tell FRR → prove → trial → keep as last good → persist → report
//
// A step starts from the rows that are there, never from a memory of what was
// written. So a step that was interrupted, at whatever command, is finished by
// the next one.
package converge
