// Package proof has no code of its own: its tests run whole labs whose switches
// forward, in User-Mode Linux where this kernel cannot, and send packets through them.
//
//   - TestDeck: three VPCs with VNIs that the network team chose, on leaves with
//     dual-homed hosts: who reaches whom, and the gateway that is the same everywhere;
//   - TestTransitions: random changes, many under way at a time, while every endpoint
//     sends to every other one: no packet leaves its VPC, ever;
//   - TestFailures: what breaks in a fabric, and for how long flows stop;
//   - TestCommitConfirm: a change that cuts a leaf off is taken back by the leaf;
//   - TestUpgrade: FRR, lldpd and the agent are upgraded under traffic, on a fabric of the
//     size that -spines, -leaves and -hosts say.
//
// A lab takes a minute or two to start. To use one again and again:
//
//	bin/lab up --name proof --forward --spines 2 --leaves 4 --hosts 4
//	go test ./deploy/lab/proof -run TestFailures -lab proof -v
package proof
