package rdfc

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"sync"
)

// Most datasets that are signed have few blank nodes, and nearly all of these
// already differ from the others by the statements they stand in. The short way
// writes every statement once, hashes and numbers the nodes in place, and sorts
// the lines, with few allocations; only nodes that are alike are handed to
// canonicalizer. It gives up on the rest (a statement given twice, a term that is
// not valid), and canonicalizer does all of it.

// simple works on one dataset at a time.
type simple struct {
	text   []byte // the lines, with z for every blank node's label
	lines  []line
	labels []string
	index  map[string]int32 // label to node; only where there are many
	stands []int32          // for each node, the lines it stands in
	ends   []int32          // for each node, where its part of stands ends
	hashes []byte           // for each node, its first degree hash
	order  []int32          // the nodes by their hashes
	rank   []int32          // for each node, the number of its canonical label
	unique int32            // how many nodes no other is like
	out    []byte           // the lines with canonical labels
	spans  []span
}

// line is a quad in text, and where the blank nodes are in it.
type line struct {
	span
	blanks int
	at     [3]int32
	node   [3]int32
}

type span struct{ from, to int32 }

// maxKept bounds what is kept from one dataset to the next.
const maxKept = 1 << 20

var pool = sync.Pool{New: func() any { return new(simple) }}

// short gives the sorted lines of the canonical form: those of s.out that s.spans
// names. It is nil where the short way does not lead there. The caller has to
// release it.
func short(ctx context.Context, quads []Quad, opt Options) (*simple, error) {
	s, _ := pool.Get().(*simple)
	if s.read(quads, opt.Checked) {
		alike := s.number(opt.Hash)
		var err error
		if alike != nil {
			err = s.distinguish(ctx, quads, opt, alike)
		}
		if err == nil && s.write() {
			return s, nil
		}
		if err != nil {
			s.release()
			return nil, err
		}
	}
	s.release()
	return nil, nil //nolint:nilnil // no error: the general way is to be taken
}

func (s *simple) release() {
	if cap(s.text) > maxKept || cap(s.out) > maxKept || cap(s.labels) > maxKept/64 {
		return
	}
	clear(s.labels)
	clear(s.index)
	pool.Put(s)
}

// read writes the lines and notes the blank nodes.
func (s *simple) read(quads []Quad, checked bool) bool {
	s.text, s.lines, s.labels = s.text[:0], s.lines[:0], s.labels[:0]
	var before *Quad
	for i := range quads {
		q := &quads[i]
		if !checked && !q.validAfter(before) || len(s.text) > 1<<30 {
			return false
		}
		before = q
		l := line{span: span{from: int32(len(s.text))}}
		s.term(&l, &q.Subject)
		s.text = append(s.text, " <"...)
		s.text = append(s.text, q.Predicate.Value...)
		s.text = append(s.text, "> "...)
		s.term(&l, &q.Object)
		if q.Graph.Kind != None {
			s.text = append(s.text, ' ')
			s.term(&l, &q.Graph)
		}
		s.text = append(s.text, " .\n"...)
		l.to = int32(len(s.text)) //nolint:gosec // bounded above
		s.lines = append(s.lines, l)
	}
	return true
}

func (s *simple) term(l *line, t *Term) {
	if t.Kind != Blank {
		s.text = t.append(s.text, keepLabel)
		return
	}
	s.text = append(s.text, "_:z"...)
	l.at[l.blanks] = int32(len(s.text) - 1) //nolint:gosec // bounded in read
	l.node[l.blanks] = s.node(t.Value)
	l.blanks++
}

// node is the number of a blank node.
func (s *simple) node(label string) int32 {
	const few = 12
	if len(s.labels) <= few {
		for i := len(s.labels) - 1; i >= 0; i-- {
			if s.labels[i] == label {
				return int32(i)
			}
		}
	} else if n, ok := s.index[label]; ok {
		return n
	}
	s.labels = append(s.labels, label)
	n := int32(len(s.labels) - 1) //nolint:gosec // fewer than lines
	if len(s.labels) > few {
		if s.index == nil {
			s.index = map[string]int32{}
		}
		if len(s.index) == 0 {
			for i, l := range s.labels {
				s.index[l] = int32(i) //nolint:gosec // a few
			}
		}
		s.index[label] = n
	}
	return n
}

// number ranks the blank nodes that no other is like. It returns the others, in
// groups, each a part of s.order.
func (s *simple) number(h crypto.Hash) [][]int32 {
	s.place()
	size := h.Size()
	s.hashes, s.order = s.hashes[:0], s.order[:0]
	digest := h.New()
	for n := range s.labels {
		s.hashes = s.firstDegree(int32(n), digest) //nolint:gosec // fewer than lines
		s.order = append(s.order, int32(n))        //nolint:gosec // the same
	}
	of := func(n int32) []byte { return s.hashes[int(n)*size : int(n+1)*size] }
	slices.SortFunc(s.order, func(a, b int32) int { return bytes.Compare(of(a), of(b)) })
	s.rank = slices.Grow(s.rank[:0], len(s.order))[:len(s.order)]
	var alike [][]int32
	s.unique = 0
	for i := 0; i < len(s.order); {
		end := i + 1
		for end < len(s.order) && bytes.Equal(of(s.order[i]), of(s.order[end])) {
			end++
		}
		if end == i+1 {
			s.rank[s.order[i]] = s.unique
			s.unique++
		} else {
			alike = append(alike, s.order[i:end])
		}
		i = end
	}
	return alike
}

// distinguish ranks the nodes that are alike (algorithm 4.4.3, step 5).
func (s *simple) distinguish(ctx context.Context, quads []Quad, opt Options, alike [][]int32) error {
	c := newCanonicalizer(ctx, opt)
	c.quads = quads
	groups := make([][]string, 0, len(alike))
	number := map[string]int32{}
	size := opt.Hash.Size()
	for _, group := range alike {
		first := hex.EncodeToString(s.hashes[int(group[0])*size : int(group[0]+1)*size])
		labels := make([]string, 0, len(group))
		for _, n := range group {
			label := s.labels[n]
			at := s.standing(n)
			quads := make([]int, 0, len(at))
			for _, i := range at {
				quads = append(quads, int(i))
			}
			c.nodes[label] = &node{label: label, quads: quads, first: first}
			labels = append(labels, label)
			number[label] = n
		}
		groups = append(groups, labels)
	}
	unique := make([]string, s.unique)
	for n, label := range s.labels {
		if _, isAlike := number[label]; !isAlike {
			unique[s.rank[n]] = label
		}
	}
	for _, label := range unique {
		c.issued.issue(label)
	}
	if err := c.labelAlike(groups); err != nil {
		return err
	}
	for i, label := range c.issued.order[len(unique):] {
		s.rank[number[label]] = s.unique + int32(i) //nolint:gosec // fewer than lines
	}
	return nil
}

// place lists, for each blank node, the lines in which it stands.
func (s *simple) place() {
	s.ends = slices.Grow(s.ends[:0], len(s.labels)+1)[:len(s.labels)+1]
	clear(s.ends)
	total := int32(0)
	for i := range s.lines {
		for k := range s.lines[i].blanks {
			if s.lines[i].first(k) {
				s.ends[s.lines[i].node[k]+1]++
				total++
			}
		}
	}
	for n := 1; n < len(s.ends); n++ {
		s.ends[n] += s.ends[n-1]
	}
	// ends[n] is now where the part of node n begins, and is moved to its end.
	s.stands = slices.Grow(s.stands[:0], int(total))[:total]
	for i := range s.lines {
		for k := range s.lines[i].blanks {
			if s.lines[i].first(k) {
				n := s.lines[i].node[k]
				s.stands[s.ends[n]] = int32(i) //nolint:gosec // bounded by MaxQuads
				s.ends[n]++
			}
		}
	}
}

// standing lists the lines in which a blank node stands.
func (s *simple) standing(n int32) []int32 {
	from := int32(0)
	if n > 0 {
		from = s.ends[n-1]
	}
	return s.stands[from:s.ends[n]]
}

// first tells whether the line's blank node k is not there before.
func (l *line) first(k int) bool {
	for i := range k {
		if l.node[i] == l.node[k] {
			return false
		}
	}
	return true
}

// name gives the blank node n one letter in its lines.
func (s *simple) name(n int32, stands []int32, letter byte) {
	for _, i := range stands {
		l := &s.lines[i]
		for k := range l.blanks {
			if l.node[k] == n {
				s.text[l.at[k]] = letter
			}
		}
	}
}

// firstDegree is algorithm 4.6.3; the hash is added to hashes.
func (s *simple) firstDegree(n int32, digest hash.Hash) []byte {
	stands := s.standing(n)
	s.name(n, stands, 'a')
	slices.SortFunc(stands, func(a, b int32) int { return s.compare(s.text, s.lines[a].span, s.lines[b].span) })
	digest.Reset()
	for _, i := range stands {
		digest.Write(s.text[s.lines[i].from:s.lines[i].to])
	}
	s.name(n, stands, 'z')
	return digest.Sum(s.hashes)
}

func (s *simple) compare(text []byte, a, b span) int {
	return bytes.Compare(text[a.from:a.to], text[b.from:b.to])
}

// write puts the canonical labels in and sorts; false when a line is there twice.
func (s *simple) write() bool {
	s.out, s.spans = s.out[:0], s.spans[:0]
	for i := range s.lines {
		l := &s.lines[i]
		to := span{from: int32(len(s.out))} //nolint:gosec // bounded in read, but for labels of a few bytes
		at := l.from
		for k := range l.blanks {
			s.out = append(s.out, s.text[at:l.at[k]]...)
			s.out = append(s.out, "c14n"...)
			s.out = strconv.AppendInt(s.out, int64(s.rank[l.node[k]]), 10)
			at = l.at[k] + 1
		}
		s.out = append(s.out, s.text[at:l.to]...)
		to.to = int32(len(s.out)) //nolint:gosec // the same
		s.spans = append(s.spans, to)
	}
	slices.SortFunc(s.spans, func(a, b span) int { return s.compare(s.out, a, b) })
	for i := 1; i < len(s.spans); i++ {
		if s.compare(s.out, s.spans[i-1], s.spans[i]) == 0 {
			return false
		}
	}
	return true
}

// result is the outcome in the caller's own memory.
func (s *simple) result() Result {
	r := Result{NQuads: make([]byte, 0, len(s.out)), Labels: make(map[string]string, len(s.labels))}
	for _, l := range s.spans {
		r.NQuads = append(r.NQuads, s.out[l.from:l.to]...)
	}
	for n, label := range s.labels {
		r.Labels[label] = "c14n" + strconv.Itoa(int(s.rank[n]))
	}
	return r
}

// sum is the hash of the canonical form.
func (s *simple) sum(h crypto.Hash) []byte {
	digest := h.New()
	for _, l := range s.spans {
		digest.Write(s.out[l.from:l.to])
	}
	return digest.Sum(nil)
}
