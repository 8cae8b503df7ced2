package sqs

// heap orders messages by the instant at which they become visible, earliest
// first; equal instants by age, so that time alone never reorders. Each message
// knows its index: removing or moving one costs log n, not a search.
type heap []*message

func (h heap) before(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].number < h[j].number
}

func (h heap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

func (h *heap) push(m *message) {
	m.heapIndex = len(*h)
	*h = append(*h, m)
	h.up(m.heapIndex)
}

func (h *heap) remove(m *message) {
	i, last := m.heapIndex, len(*h)-1
	if i != last {
		h.swap(i, last)
	}
	(*h)[last] = nil
	*h = (*h)[:last]
	m.heapIndex = -1
	if i != last {
		h.fix(i)
	}
}

// fix restores the order after the message at i changed its instant.
func (h heap) fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h heap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.before(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h heap) down(i int) bool {
	start := i
	for {
		child := 2*i + 1
		if child >= len(h) {
			return i != start
		}
		if right := child + 1; right < len(h) && h.before(right, child) {
			child = right
		}
		if !h.before(child, i) {
			return i != start
		}
		h.swap(i, child)
		i = child
	}
}
