package dynamodb

import "sync/atomic"

// operation is one operation of the API with what it was used for so far.
type operation struct {
	run           func(*Server, *call) error
	calls         atomic.Int64
	reads, writes atomic.Int64 // half units
}

// Units are consumed capacity units, as AWS bills them on demand: a read unit
// is 4 KB read with strong consistency or 8 KB without, a write unit is 1 KB
// written, and transactions cost twice that. Indexes are included.
type Units struct {
	Read, Write float64
}

// Calls gives how many requests each operation has had since the server was
// made or the counters were reset, failed ones included. Operations that had
// none are left out.
func (s *Server) Calls() map[string]int64 {
	calls := make(map[string]int64)
	for name, op := range s.operations {
		if n := op.calls.Load(); n > 0 {
			calls[name] = n
		}
	}
	return calls
}

// Units gives the capacity each operation has consumed since the server was
// made or the counters were reset. Operations that consumed none are left out.
func (s *Server) Units() map[string]Units {
	units := make(map[string]Units)
	for name, op := range s.operations {
		u := Units{Read: float64(op.reads.Load()) / 2, Write: float64(op.writes.Load()) / 2}
		if u != (Units{}) {
			units[name] = u
		}
	}
	return units
}

// ResetCalls sets the counters of Calls and Units to zero.
func (s *Server) ResetCalls() {
	for _, op := range s.operations {
		op.calls.Store(0)
		op.reads.Store(0)
		op.writes.Store(0)
	}
}
