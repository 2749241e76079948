// Package journal keeps on the host's disk which interface of which pod has which
// addresses, so that none is given to two pods: not after a crash at any moment,
// and not while the API server is away.
//
// It is one file, a log, with a checksum in each line. An address counts as given
// only when its line has reached the disk. Several that are given at the same time
// share one write.
package journal
