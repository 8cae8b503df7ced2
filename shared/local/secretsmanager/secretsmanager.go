// Package secretsmanager is an in-memory AWS Secrets Manager with the two operations the project and its operators use:
// GetSecretValue and PutSecretValue (https://docs.aws.amazon.com/secretsmanager/latest/apireference/).
package secretsmanager

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/local/awsjson"
)

// Server holds secrets; it is an http.Handler.
type Server struct {
	http.Handler

	mu      sync.Mutex
	secrets map[string]*secret // by ARN
}

type secret struct {
	arn, name         string
	current, previous *version
}

type version struct {
	id, value string
	created   time.Time
}

// New makes a server without secrets.
func New() *Server {
	s := &Server{secrets: map[string]*secret{}}
	s.Handler = awsjson.Handler("secretsmanager", map[string]awsjson.Operation{
		"GetSecretValue": s.get,
		"PutSecretValue": s.put,
	})
	return s
}

// Create adds a secret with its first value.
func (s *Server) Create(arn, name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[arn] = &secret{arn: arn, name: name, current: newVersion("", value)}
}

// Calls of SecretId may use the ARN or the name.
func (s *Server) find(id string) (*secret, error) {
	if found, ok := s.secrets[id]; ok {
		return found, nil
	}
	for _, found := range s.secrets {
		if found.name == id {
			return found, nil
		}
	}
	return nil, awsjson.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func (s *Server) get(input []byte) (any, error) {
	var in struct{ SecretId, VersionId, VersionStage string }
	if err := awsjson.Decode(input, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	v, stage := found.current, "AWSCURRENT"
	if p := found.previous; p != nil && (in.VersionStage == "AWSPREVIOUS" || in.VersionId == p.id) {
		v, stage = p, "AWSPREVIOUS"
	}
	if in.VersionStage != "" && in.VersionStage != stage || in.VersionId != "" && in.VersionId != v.id {
		return nil, awsjson.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.")
	}
	return map[string]any{"ARN": found.arn, "Name": found.name, "SecretString": v.value, "VersionId": v.id,
		"VersionStages": []string{stage}, "CreatedDate": float64(v.created.UnixMilli()) / 1000}, nil
}

func (s *Server) put(input []byte) (any, error) {
	var in struct{ SecretId, ClientRequestToken, SecretString string }
	if err := awsjson.Decode(input, &in); err != nil {
		return nil, err
	}
	if in.SecretString == "" {
		return nil, awsjson.Errorf("InvalidRequestException", "You must provide SecretString.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.ClientRequestToken == "" || in.ClientRequestToken != found.current.id { // a repeat changes nothing
		found.previous, found.current = found.current, newVersion(in.ClientRequestToken, in.SecretString)
	}
	return map[string]any{"ARN": found.arn, "Name": found.name, "VersionId": found.current.id,
		"VersionStages": []string{"AWSCURRENT"}}, nil
}

func newVersion(id, value string) *version {
	if id == "" {
		b := make([]byte, 16)
		_, _ = rand.Read(b) // never fails
		id = hex.EncodeToString(b)
	}
	return &version{id, value, time.Now()}
}
