package matrix

import "cmp"

// Verdict is what a rule says of a pair.
type Verdict int

// The verdicts.
const (
	// Unsaid: the rule has nothing to say of this pair.
	Unsaid Verdict = iota
	// Reach: the one has to reach the other.
	Reach
	// Apart: no packet of the one may come to the other.
	Apart
	// Silent: packets of the one may come to the other, and no answer comes back.
	Silent
)

// Rule says whether one endpoint reaches another.
type Rule func(from, to *Endpoint) Verdict

// Rules are asked in their order, and the first that says something counts. What
// none says something of is apart: isolation is the default.
type Rules []Rule

// VPCRules are the rules of VPCs that have neither peers nor isolated subnets.
func VPCRules() Rules { return Rules{SameVPC} }

// SameVPC lets the endpoints of a VPC reach each other: in one subnet by Ethernet,
// between subnets through the gateway.
func SameVPC(from, to *Endpoint) Verdict {
	if from.VPC == to.VPC {
		return Reach
	}
	return Unsaid
}

// Reaches says whether one endpoint has to reach another.
func (r Rules) Reaches(from, to *Endpoint) bool { return r.verdict(from, to) == Reach }

// verdict is the first that a rule says.
func (r Rules) verdict(from, to *Endpoint) Verdict {
	for _, rule := range r {
		if v := rule(from, to); v != Unsaid {
			return v
		}
	}
	return Apart
}

// Pair is two endpoints, the one that sends first.
type Pair struct {
	From ID `json:"from"`
	To   ID `json:"to"`
}

// Compare orders pairs.
func (p Pair) Compare(other Pair) int {
	return cmp.Or(cmp.Compare(p.From, other.From), cmp.Compare(p.To, other.To))
}

// Expectation is who has to reach whom; everyone else must not. Of a pair that is in it
// with false, packets may come, but no answers.
type Expectation map[Pair]bool

// Expect applies the rules to all pairs of different endpoints.
func (r Rules) Expect(endpoints []Endpoint) Expectation {
	expect := Expectation{}
	for i := range endpoints {
		for j := range endpoints {
			if v := r.verdict(&endpoints[i], &endpoints[j]); i != j && v != Apart {
				expect[Pair{endpoints[i].ID(), endpoints[j].ID()}] = v == Reach
			}
		}
	}
	return expect
}
