package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/dynamodb"
)

type page struct {
	Items            []map[string]map[string]string
	Count            int
	ScannedCount     int
	LastEvaluatedKey json.RawMessage
}

// pages asks until there is no LastEvaluatedKey and gives the attribute of
// every item met, with the number of pages.
func pages(t *testing.T, s *dynamodb.Server, op, in, attribute string) (got []string, n int) {
	t.Helper()
	start := ""
	for n < 1000 {
		var p page
		if err := json.Unmarshal([]byte(mustPost(t, s, op, in+start)), &p); err != nil {
			t.Fatal(err)
		}
		n++
		if p.Count != len(p.Items) {
			t.Fatalf("count %d of %d items", p.Count, len(p.Items))
		}
		for _, it := range p.Items {
			got = append(got, it[attribute]["S"])
		}
		if p.LastEvaluatedKey == nil {
			return got, n
		}
		start = `,"ExclusiveStartKey":` + string(p.LastEvaluatedKey)
	}
	t.Fatal("no end of pages")
	return nil, 0
}

// D19: pages of five, in both directions, neither lose nor repeat an item.
func TestQueryPages(t *testing.T) {
	s := newServer(t)
	var want []string
	for i := range 23 {
		put("a", fmt.Sprintf("%02d", i)).run(t, s)
		put("b", fmt.Sprintf("%02d", i)).run(t, s)
		want = append(want, fmt.Sprintf("%02d", i))
	}
	const in = `"Limit":5,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}`
	if got, n := pages(t, s, "Query", in, "sk"); n != 5 || !slices.Equal(got, want) {
		t.Errorf("forwards: %d pages, %v", n, got)
	}
	slices.Reverse(want)
	if got, n := pages(t, s, "Query", in+`,"ScanIndexForward":false`, "sk"); n != 5 || !slices.Equal(got, want) {
		t.Errorf("backwards: %d pages, %v", n, got)
	}
	// Where the last page ended may have been deleted since.
	step{"DeleteItem", `"Key":` + key("a", "10"), ""}.run(t, s)
	found(`"Limit":1,"KeyConditionExpression":"pk = :p","ExclusiveStartKey":`+key("a", "22"), "").run(t, s)
	st := found(`"KeyConditionExpression":"pk = :p AND sk < :x","ExclusiveStartKey":`+key("a", "10"), `":x":{"S":"13"}`, "11", "12")
	st.run(t, s)
}

// D24: an index pages through items with equal index keys; the key to go on
// from holds the table's and the index's.
func TestIndexPages(t *testing.T) {
	s := newServer(t)
	var want []string
	for i := range 7 {
		put(fmt.Sprint("p", i), "s", `"g1":{"S":"open"},"g2":{"S":"same"}`).run(t, s)
		want = append(want, fmt.Sprint("p", i))
	}
	put("px", "s", `"g1":{"S":"closed"},"g2":{"S":"same"}`).run(t, s)
	const in = `"IndexName":"by_group","Limit":2,"KeyConditionExpression":"g1 = :g","ExpressionAttributeValues":{":g":{"S":"open"}}`
	if body := mustPost(t, s, "Query", in); !strings.Contains(body,
		`"LastEvaluatedKey":{"g1":{"S":"open"},"g2":{"S":"same"},"pk":{"S":"p1"},"sk":{"S":"s"}}`) {
		t.Error(body)
	}
	for _, more := range []string{"", `,"ScanIndexForward":false`} {
		got, n := pages(t, s, "Query", in+more, "pk")
		slices.Sort(got)
		if n != 4 || !slices.Equal(got, want) {
			t.Errorf("%s: %d pages, %v", more, n, got)
		}
	}
	step{"Query", in + `,"ExclusiveStartKey":` + key("p1", "s"), "!ValidationException: starting key is invalid"}.run(t, s)
}

// D36: the segments of a parallel scan are disjoint and complete.
func TestParallelScan(t *testing.T) {
	s := newServer(t)
	for i := range 40 {
		put(fmt.Sprint("p", i), "s", fmt.Sprintf(`"n":{"N":"%d"}`, i)).run(t, s)
	}
	all := map[string]bool{}
	used := 0
	for segment := range 4 {
		got, _ := pages(t, s, "Scan", fmt.Sprintf(`"Limit":3,"TotalSegments":4,"Segment":%d`, segment), "pk")
		if len(got) > 0 {
			used++
		}
		for _, pk := range got {
			if all[pk] {
				t.Errorf("%s is in two segments", pk)
			}
			all[pk] = true
		}
	}
	if len(all) != 40 || used < 3 {
		t.Errorf("%d of 40 items in %d segments", len(all), used)
	}
	if got, _ := pages(t, s, "Scan", `"Limit":7`, "pk"); len(got) != 40 {
		t.Errorf("a plain scan finds %d of 40", len(got))
	}
	for _, st := range []step{
		{"Scan", `"Select":"COUNT","FilterExpression":"n < :n"` + values(`":n":{"N":"9"}`), `{"Count":9,"ScannedCount":40}`},
		{"Scan", `"Select":"COUNT","IndexName":"by_group"`, `{"Count":0,"ScannedCount":0}`},
		{"Scan", `"Select":"COUNT","FilterExpression":"pk = :p"` + values(`":p":{"S":"p3"}`), `{"Count":1,"ScannedCount":40}`},
	} {
		st.run(t, s)
	}
}

// D50: a page ends before it passes 1 MB.
func TestPageSize(t *testing.T) {
	s := newServer(t)
	var want []string
	for i := range 15 {
		put("a", fmt.Sprintf("%02d", i), text(100<<10)).run(t, s)
		want = append(want, fmt.Sprintf("%02d", i))
	}
	const in = `"ProjectionExpression":"sk","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}`
	if got, n := pages(t, s, "Query", in, "sk"); n != 2 || !slices.Equal(got, want) {
		t.Errorf("%d pages, %v", n, got)
	}
	if body := mustPost(t, s, "Query", in); !strings.Contains(body, `"Count":10,`) {
		t.Errorf("ten items of 100 KB are less than 1 MB, eleven are more: %s", body)
	}
}
