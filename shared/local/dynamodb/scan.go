package dynamodb

import (
	"math/bits"
	"strconv"
)

// maxSegments is the limit of TotalSegments.
const maxSegments = 1000000

func (s *Server) scan(c *call) error {
	var in pageRequest
	var segment, total *int
	err := c.read("Scan", func(name string) (bool, error) {
		switch name {
		case "Segment":
			return true, c.dec.int(&segment)
		case "TotalSegments":
			return true, c.dec.int(&total)
		}
		return in.member(&c.dec, name)
	})
	if err != nil {
		return err
	}
	if err := checkSegments(segment, total); err != nil {
		return err
	}
	p, err := s.pager(&in)
	if err != nil {
		return err
	}
	var from position
	if segment != nil {
		from.hash = firstHash(uint64(*segment), uint64(*total))
	}
	if p.start != nil {
		if segment != nil && segmentOf(p.start.hash, *total) != *segment {
			return validation("The provided starting key is invalid: Invalid ExclusiveStartKey. " +
				"Please use ExclusiveStartKey with correct Segment. TotalSegments: " + strconv.Itoa(*total) + " Segment: " + strconv.Itoa(*segment))
		}
		from = *p.start
	}
	page, bytes, more := p.collect(from, false, func(at position) walk {
		if segment != nil && segmentOf(at.hash, *total) != *segment {
			return walkEnd
		}
		return walkTake
	})
	return p.answer(c, page, bytes, more)
}

func checkSegments(segment, total *int) error {
	switch {
	case segment == nil && total == nil:
		return nil
	case total == nil:
		return validation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case segment == nil:
		return validation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *total < 1 || *total > maxSegments:
		return constraint(strconv.Itoa(*total), "totalSegments", "Member must have value between 1 and 1000000")
	case *segment < 0:
		return constraint(strconv.Itoa(*segment), "segment", "Member must have value greater than or equal to 0")
	case *segment >= *total:
		return validation("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: " +
			strconv.Itoa(*segment) + " is not less than TotalSegments: " + strconv.Itoa(*total))
	}
	return nil
}

// segmentOf cuts the hashes into equal ranges, one a segment.
func segmentOf(hash uint64, total int) int {
	high, _ := bits.Mul64(hash, uint64(total))
	return int(high)
}

// firstHash is the least hash of a segment.
func firstHash(segment, total uint64) uint64 {
	quotient, remainder := bits.Div64(segment, 0, total)
	if remainder > 0 {
		quotient++
	}
	return quotient
}
