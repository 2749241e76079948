// Package state keeps on the switch's disk what the agent has to know when it
// is alone: the last good configuration, the ledger of the rows that it wrote,
// the journal by which a change that is not confirmed yet is taken back, and the
// revisions that were taken back.
//
// Every file carries checksums. What is damaged is moved aside for people to
// look at, and the caller hears of it; it is never a reason to stop.
package state
