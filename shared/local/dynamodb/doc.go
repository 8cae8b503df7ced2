// Package dynamodb is an in-memory stand-in for Amazon DynamoDB, for one
// developer's machine and for tests.
//
// It speaks the JSON 1.0 protocol of the real service, so the AWS SDK and the
// AWS CLI talk to it unchanged, and it keeps nothing on disk. It implements
// the data operations with the whole expression language, global secondary
// indexes, transactions, time to live and the documented limits. What it does
// not implement it refuses with a NotImplementedException that names the
// operation or the parameter; it never answers approximately.
//
// Where its behaviour comes from: the Amazon DynamoDB API Reference and
// Developer Guide (https://docs.aws.amazon.com/amazondynamodb/latest/).
//
// There is no authentication and there are no throughput limits.
package dynamodb
