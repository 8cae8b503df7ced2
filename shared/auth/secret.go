package auth

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Source gives the secret as it is now.
type Source interface {
	// Secret returns the JSON document described at [NewKeys].
	Secret(ctx context.Context) ([]byte, error)
}

// SecretsManagerAPI is the one call needed of Secrets Manager.
type SecretsManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// FromSecretsManager reads the current version of one secret, by its ARN or name.
func FromSecretsManager(api SecretsManagerAPI, secretID string) Source {
	return secretsManager{api, secretID}
}

type secretsManager struct {
	api SecretsManagerAPI
	id  string
}

// Secret reads the secret's current version.
func (s secretsManager) Secret(ctx context.Context) ([]byte, error) {
	out, err := s.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.id)})
	if err != nil {
		return nil, err
	}
	return []byte(aws.ToString(out.SecretString)), nil
}

// keySet is one state of the secret. API keys are kept as hashes only.
type keySet struct {
	apiKeys  [][sha256.Size]byte
	pageKeys [][]byte // the first signs, each verifies
}

const (
	// minPageKey is what HS256 wants at least (RFC 7518 §3.2).
	minPageKey = 32
	// minAPIKey only catches a slip of the hand: generated keys have 48 characters, those of a developer what he likes.
	minAPIKey = 3
	// pageKeyInfo separates the derived keys from any other use of the API key.
	pageKeyInfo = "albato page token v1"
)

// parseSecret reads the secret. Its errors never contain a part of it.
func parseSecret(b []byte) (*keySet, error) {
	var s struct {
		APIKey         string   `json:"api_key"`
		PreviousAPIKey string   `json:"previous_api_key"`
		PageTokenKeys  []string `json:"page_token_keys"`
	}
	if json.Unmarshal(b, &s) != nil {
		return nil, errors.New("the secret is not the JSON object it should be")
	}
	if len(s.APIKey) < minAPIKey {
		return nil, fmt.Errorf("api_key in the secret is missing or shorter than %d characters", minAPIKey)
	}
	accepted := []string{s.APIKey}
	if s.PreviousAPIKey != "" {
		if len(s.PreviousAPIKey) < minAPIKey {
			return nil, fmt.Errorf("previous_api_key in the secret is shorter than %d characters", minAPIKey)
		}
		accepted = append(accepted, s.PreviousAPIKey)
	}
	var set keySet
	for _, k := range accepted {
		set.apiKeys = append(set.apiKeys, sha256.Sum256([]byte(k)))
	}
	for _, k := range s.PageTokenKeys {
		if len(k) < minPageKey {
			return nil, fmt.Errorf("a key of page_token_keys in the secret is shorter than %d bytes", minPageKey)
		}
		set.pageKeys = append(set.pageKeys, []byte(k))
	}
	if len(set.pageKeys) > 0 {
		return &set, nil
	}
	for _, k := range accepted {
		derived, err := hkdf.Key(sha256.New, []byte(k), nil, pageKeyInfo, minPageKey)
		if err != nil {
			return nil, fmt.Errorf("deriving a page token key: %w", err)
		}
		set.pageKeys = append(set.pageKeys, derived)
	}
	return &set, nil
}
