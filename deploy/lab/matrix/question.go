package matrix

import (
	"fmt"
	"slices"
	"time"
)

// word is a value that is written as one of a list of words.
type word interface{ ~uint8 }

func marshalWord[T word](v T, words []string) ([]byte, error) {
	if int(v) >= len(words) {
		return nil, fmt.Errorf("%d is none of %v", v, words)
	}
	return []byte(words[v]), nil
}

func unmarshalWord[T word](v *T, text []byte, words []string) error {
	i := slices.Index(words, string(text))
	if i < 0 {
		return fmt.Errorf("%q is none of %v", text, words)
	}
	*v = T(i)
	return nil
}

// Protocol is how a question is put.
type Protocol uint8

// The protocols.
const (
	ICMP Protocol = iota // echo
	UDP                  // a datagram and the answer to it
	TCP                  // a connection, and bytes both ways
)

func protocols() []string { return []string{"icmp", "udp", "tcp"} }

// String is such as "icmp".
func (p Protocol) String() string { return protocols()[p] }

// MarshalText is String.
func (p Protocol) MarshalText() ([]byte, error) { return marshalWord(p, protocols()) }

// UnmarshalText reads what MarshalText writes.
func (p *Protocol) UnmarshalText(text []byte) error { return unmarshalWord(p, text, protocols()) }

// Question is whether one endpoint reaches another in one way.
type Question struct {
	Pair
	Protocol Protocol `json:"protocol"`
	// IPv6, else IPv4.
	IPv6 bool `json:"ipv6,omitempty"`
	// Full says that packets are as large as the endpoints' MTU, and must not be
	// fragmented.
	Full bool `json:"full,omitempty"`
}

// Way is how the question is put, such as "icmp IPv6 full".
func (q Question) Way() string {
	way := q.Protocol.String() + " IPv4"
	if q.IPv6 {
		way = q.Protocol.String() + " IPv6"
	}
	if q.Full {
		way += " full"
	}
	return way
}

// Questions are all that can be asked between endpoints. Nobody is asked by ICMP at an
// address that another endpoint of the asker's VPC has too: one could not tell who
// answers. By UDP and TCP they say who they are. A pod in several VPCs is not asked
// about the others of them: it reaches each by another interface.
func Questions(endpoints []Endpoint) []Question {
	owners := map[vpcAddress]int{}
	for i := range endpoints {
		for _, a := range endpoints[i].Addresses {
			owners[vpcAddress{endpoints[i].VPC, a.Addr()}]++
		}
	}
	pods := vpcsOfPods(endpoints)
	var list []Question
	for i := range endpoints {
		for j := range endpoints {
			if i != j && !foreign(&endpoints[i], &endpoints[j], pods) {
				list = append(list, ask(&endpoints[i], &endpoints[j], owners)...)
			}
		}
	}
	return list
}

func ask(from, to *Endpoint, owners map[vpcAddress]int) []Question {
	var list []Question
	for _, v6 := range []bool{false, true} {
		_, has := from.Address(v6)
		address, toHas := to.Address(v6)
		if !has || !toHas {
			continue
		}
		ambiguous := from.VPC != to.VPC && owners[vpcAddress{from.VPC, address}] > 0
		for p := ICMP; p <= TCP; p++ {
			if p == ICMP && ambiguous {
				continue
			}
			for _, full := range []bool{false, true} {
				list = append(list, Question{Pair{from.ID(), to.ID()}, p, v6, full})
			}
		}
	}
	return list
}

// Seen is how far a question came.
type Seen uint8

// What can be seen.
const (
	Nothing  Seen = iota
	Arrived       // at the one who was asked, but no answer came back
	Answered      // by the one who was asked
)

func seens() []string { return []string{"nothing", "arrived", "answered"} }

// String is such as "answered".
func (s Seen) String() string { return seens()[s] }

// MarshalText is String.
func (s Seen) MarshalText() ([]byte, error) { return marshalWord(s, seens()) }

// UnmarshalText reads what MarshalText writes.
func (s *Seen) UnmarshalText(text []byte) error { return unmarshalWord(s, text, seens()) }

// Observation is what became of a question.
type Observation struct {
	Question
	Seen Seen `json:"seen"`
	// Took is the time from question to answer.
	Took time.Duration `json:"tookNs,omitempty"`
	// Detail says more, such as why nothing could be sent.
	Detail string `json:"detail,omitempty"`
}
