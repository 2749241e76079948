package topology

// evidence is what speaks for a cable between two ends, seen from one of them.
type evidence uint8

const (
	hears     evidence = 1 << iota // this end hears the other
	heard                          // the other hears this end
	heardOnce                      // as hears, but stale
	wasHeard                       // as heard, but stale
	known                          // it was a link before
	knownGone                      // it was, and it was gone already

	fresh  = hears | heard // one of them is enough
	mutual = hears | heard // both of them
	stale  = heardOnce | wasHeard
)

// turned is the same evidence seen from the other end.
func (e evidence) turned() evidence {
	const of1, of2 = hears | heardOnce, heard | wasHeard
	return e&^(of1|of2) | e&of1<<1 | e&of2>>1
}

// half is one piece of evidence, seen from one end.
type half struct {
	from, to int32
	link     int32 // in Inputs.Links, for what is known; or none
	bits     evidence
}

// tie is all the evidence for a cable between an end and another.
type tie struct {
	to   int32
	link int32
	bits evidence
}

// ties are the ties of every end, one after the other.
type ties struct {
	start []int32
	all   []tie
}

// newTies sorts evidence by its end and joins what speaks for the same cable.
func newTies(ends int, halves []half) ties {
	start := make([]int32, ends+1)
	for _, h := range halves {
		start[h.from+1]++
	}
	for i := range ends {
		start[i+1] += start[i]
	}
	all := make([]tie, len(halves))
	filled := make([]int32, ends)
	for _, h := range halves {
		at := start[h.from]
		list := all[at : at+filled[h.from] : start[h.from+1]]
		if i := indexOf(list, h.to); i >= 0 {
			list[i].bits |= h.bits
			list[i].link = max(list[i].link, h.link)
			continue
		}
		all[at+filled[h.from]] = tie{h.to, h.link, h.bits}
		filled[h.from]++
	}
	return ties{start: start, all: all}
}

func indexOf(list []tie, to int32) int {
	for i := range list {
		if list[i].to == to {
			return i
		}
	}
	return -1
}

// of are the ties of an end. Those without evidence are what joining left over.
func (t ties) of(e int32) []tie {
	list := t.all[t.start[e]:t.start[e+1]]
	for len(list) > 0 && list[len(list)-1].bits == 0 {
		list = list[:len(list)-1]
	}
	return list
}

// between is the evidence for a cable between two ends.
func (t ties) between(a, b int32) tie {
	list := t.of(a)
	if i := indexOf(list, b); i >= 0 {
		return list[i]
	}
	return tie{to: b, link: none}
}

// with are the ends that an end has some evidence of these kinds for.
func (t ties) with(e int32, bits evidence) []int32 {
	var out []int32
	for _, tie := range t.of(e) {
		if tie.bits&bits != 0 {
			out = append(out, tie.to)
		}
	}
	return out
}

// only is the one end that with would tell; none if there is none or more.
func (t ties) only(e int32, bits evidence) int32 {
	found := int32(none)
	for _, tie := range t.of(e) {
		if tie.bits&bits == 0 {
			continue
		}
		if found != none {
			return none
		}
		found = tie.to
	}
	return found
}

// count is how many ends with would tell.
func (t ties) count(e int32, bits evidence) int {
	n := 0
	for _, tie := range t.of(e) {
		if tie.bits&bits != 0 {
			n++
		}
	}
	return n
}
