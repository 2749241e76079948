// Package store looks after the images on a switch: it has an image there before
// the service that runs it is replaced, and takes older ones of that service away.
//
// It talks to containerd's socket as the kubelet does, by the CRI (runtime.v1), and
// asks containerd's content service how far a pull is, which the CRI does not tell.
// It does so by net/http and protowire: the calls need some hundred lines, and on a
// switch memory counts. A program that makes one call takes 7.5 MB of it so (5.1 is
// what any program with net/http takes), 13.1 MB by k8s.io/cri-api and grpc, and
// 17.3 MB by containerd's own client.
//
// What has been pulled is known by its digest, which containerd checks while it
// writes: an image that is there needs neither registry nor network.
package store
