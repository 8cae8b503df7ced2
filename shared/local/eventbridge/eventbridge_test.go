package eventbridge_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/nethouse-academy/albato/shared/local/eventbridge"
)

func TestWithTheSDK(t *testing.T) {
	told := 0
	server := eventbridge.New("default", func(eventbridge.Event) { told++ })
	http := httptest.NewServer(server)
	defer http.Close()
	client := sdk.New(sdk.Options{Region: "eu-central-1", BaseEndpoint: &http.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	good := types.PutEventsRequestEntry{Source: aws.String("albato"), DetailType: aws.String("connection.failing"), Detail: aws.String(`{"id":"con_1"}`)}
	entries := []types.PutEventsRequestEntry{good}
	for _, change := range []func(*types.PutEventsRequestEntry){
		func(e *types.PutEventsRequestEntry) {
			e.EventBusName = aws.String("default")
			e.Time = aws.Time(time.Unix(1_795_421_100, 0))
		},
		func(e *types.PutEventsRequestEntry) { e.Detail = aws.String("not JSON") },
		func(e *types.PutEventsRequestEntry) { e.Source = nil },
		func(e *types.PutEventsRequestEntry) { e.DetailType = nil },
		func(e *types.PutEventsRequestEntry) { e.EventBusName = aws.String("other") },
	} {
		e := good
		change(&e)
		entries = append(entries, e)
	}
	out, err := client.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	if out.FailedEntryCount != 4 || len(out.Entries) != 6 || aws.ToString(out.Entries[0].EventId) == "" || aws.ToString(out.Entries[2].ErrorCode) != "MalformedDetail" {
		t.Errorf("%+v", out)
	}
	events := server.Events()
	if len(events) != 2 || told != 2 || events[0].DetailType != "connection.failing" || string(events[0].Detail) != `{"id":"con_1"}` ||
		events[1].Time.Unix() != 1_795_421_100 {
		t.Errorf("%+v, told %d", events, told)
	}
	_, err = client.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{}})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
		t.Errorf("error %v", err)
	}
}
