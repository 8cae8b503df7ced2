package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// PageLink asks the API for the address that opens an account's page signed in, as the Academy does.
func (s *Stack) PageLink(ctx context.Context, account string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/accounts/"+account+"/page-sessions", bytes.NewReader([]byte(`{"ttl_seconds":43200}`)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+s.APIKey)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var session struct{ URL string }
	if err := json.NewDecoder(response.Body).Decode(&session); err != nil || response.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("page-sessions: %s", response.Status)
	}
	return session.URL, nil
}
