// Package apigw lets a function be an ordinary http.Handler.
//
// [Handler] turns an API Gateway HTTP API event (payload format 2.0,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)
// into an *http.Request and the answer back into the event's answer. Around it stand the rules that
// all functions share: strict reading of JSON and query parameters, errors as problem+json
// (RFC 9457), security headers, a request id.
package apigw
