// Package sqs is an in-memory Amazon SQS for one developer's machine and for
// tests. It speaks the AWS JSON 1.0 protocol as an [http.Handler], so that the
// AWS SDKs and the AWS CLI work against it unchanged, and it has a Go interface
// beside it for an event source mapping that lives in the same process.
//
// What it implements behaves as AWS documents it
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ and
// the SQS Developer Guide). What it does not implement it refuses with the
// error code UnsupportedOperation, naming the operation, parameter or attribute:
// it never approximates. Signatures and permissions are not checked, nothing is
// throttled, nothing is written to disk.
//
// Two deliberate simplifications of what AWS leaves open: a receive always finds
// what there is (AWS samples a subset of its servers on a short poll, and looks
// through the first 120,000 messages of a FIFO queue only), and a message move
// task is finished when the call that starts it returns.
//
// The cost of a call does not depend on how many messages or groups wait.
package sqs
