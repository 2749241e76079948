// Package docker runs programs in containers of the switch's own Docker daemon,
// as "docker exec -i" does, for an agent that has no docker command.
//
// It speaks the part of the Docker Engine API that this takes, over the daemon's
// unix socket: which version of the API there is, make an exec instance, start
// it, and ask for its exit code. Each request has a connection of its own and
// nothing is kept between two programs, so a daemon or a container that restarts
// is an error of what was under way and of nothing that comes later.
//
// What is read is bounded, whatever the daemon says: the program that it runs on
// behalf of others decides what it sends.
package docker
