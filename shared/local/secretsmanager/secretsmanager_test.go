package secretsmanager_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/nethouse-academy/albato/shared/local/secretsmanager"
)

func TestWithTheSDK(t *testing.T) {
	server := secretsmanager.New()
	http := httptest.NewServer(server)
	defer http.Close()
	const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"
	server.Create(arn, "x", `{"api_key":"one"}`)
	client := sdk.New(sdk.Options{Region: "eu-central-1", BaseEndpoint: &http.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	ctx := t.Context()
	get := func(id string, stage *string) string {
		t.Helper()
		out, err := client.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: &id, VersionStage: stage})
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(out.ARN) != arn || aws.ToString(out.VersionId) == "" || out.CreatedDate == nil {
			t.Errorf("%+v", out)
		}
		return aws.ToString(out.SecretString)
	}
	if a, b := get(arn, nil), get("x", nil); a != `{"api_key":"one"}` || a != b {
		t.Errorf("%s, %s", a, b)
	}
	if _, err := client.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String("x"), SecretString: aws.String("two")}); err != nil {
		t.Fatal(err)
	}
	if now, before := get(arn, nil), get(arn, aws.String("AWSPREVIOUS")); now != "two" || before != `{"api_key":"one"}` {
		t.Errorf("now %s, before %s", now, before)
	}
	_, err := client.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: aws.String("y")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("error %v", err)
	}
	_, err = client.ListSecrets(ctx, &sdk.ListSecretsInput{})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorMessage() != "ListSecrets is not supported by the local stack" {
		t.Errorf("error %v", err)
	}
}
