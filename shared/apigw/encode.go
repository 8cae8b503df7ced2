package apigw

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// WriteJSON answers with v as JSON: no HTML escaping, an empty list for a nil slice, map keys in
// order, invalid UTF-8 replaced. If v cannot be encoded the answer is a 500.
//
// The encoder follows encoding/json/v2: omitempty leaves out what is empty in JSON (null, "", {},
// []), and omitzero what is Go's zero value; a false or a 0 needs the latter.
func WriteJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		WriteError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// write is WriteJSON for values that always encode, under the content type already set.
func write(w http.ResponseWriter, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func marshal(v any) ([]byte, error) {
	return json.Marshal(v, jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true), json.Deterministic(true))
}
