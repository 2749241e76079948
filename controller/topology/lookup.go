package topology

// lookup finds numbers by a text. Most texts have one.
type lookup struct {
	one  map[string]int32
	many map[string][]int32
}

func newLookup(n int) lookup { return lookup{one: make(map[string]int32, n)} }

func (l *lookup) add(key string, v int32) {
	if key == "" {
		return
	}
	first, ok := l.one[key]
	if !ok {
		l.one[key] = v
		return
	}
	if first == v {
		return
	}
	if l.many == nil {
		l.many = map[string][]int32{}
	}
	all := l.many[key]
	if all == nil {
		all = []int32{first}
	}
	for _, other := range all {
		if other == v {
			return
		}
	}
	l.many[key] = append(all, v)
}

// only is the one number with this text; none if there is none or more.
func (l *lookup) only(key string) int32 {
	v, ok := l.one[key]
	if !ok || l.many != nil && l.many[key] != nil {
		return none
	}
	return v
}

// all are the numbers with this text.
func (l *lookup) all(key string) []int32 {
	if many := l.many[key]; many != nil {
		return many
	}
	if v, ok := l.one[key]; ok {
		return []int32{v}
	}
	return nil
}
