package sqs

// list is a doubly linked list whose nodes live inside the values they link, so
// that adding to and removing from the middle cost one step and no allocation.
type list[T any] struct {
	front, back *node[T]
	length      int
}

// node is a value's place in one list; it is in at most one list at a time.
type node[T any] struct {
	prev, next *node[T]
	value      T
	linked     bool
}

// push adds the node at the back.
func (l *list[T]) push(n *node[T]) {
	n.prev, n.next, n.linked = l.back, nil, true
	if l.back == nil {
		l.front = n
	} else {
		l.back.next = n
	}
	l.back = n
	l.length++
}

// remove takes the node out; one that is in no list is left alone.
func (l *list[T]) remove(n *node[T]) {
	if !n.linked {
		return
	}
	if n.prev == nil {
		l.front = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.back = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next, n.linked = nil, nil, false
	l.length--
}
