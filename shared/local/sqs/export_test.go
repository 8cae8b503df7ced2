package sqs

// LimitInFlight lowers the quota of messages in flight, for a test that does not
// want to send 120,000.
func (s *Server) LimitInFlight(n int) { s.maxInFlight = n }
