// Command redrive counts the dead letters and, when confirmed, moves them back to the queues they came from. SQS itself does
// the moving (StartMessageMoveTask); a message keeps its group and its deduplication.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	queue := flag.String("queue", "", "URL of the dead letters: the stack's output DeadLettersQueueUrl")
	confirm := flag.Bool("confirm", false, "put them back; without it they are only counted")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "make redrive ENV=prod               counts the dead letters\nmake redrive ENV=prod CONFIRM=yes   puts them back\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, *queue, *confirm); err != nil {
		fmt.Fprintln(os.Stderr, "redrive:", err)
		stop()
		os.Exit(1)
	}
}

func start(ctx context.Context, queue string, confirm bool) error {
	if queue == "" {
		return errors.New("no queue: is the stack deployed, and are these the credentials of its account?")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	return run(ctx, sqs.NewFromConfig(cfg), queue, confirm, os.Stdout, time.Second)
}

// run counts the letters of the queue and moves them when confirmed, telling how far it is every pause.
func run(ctx context.Context, client *sqs.Client, queue string, confirm bool, out io.Writer, pause time.Duration) error {
	a, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameQueueArn}})
	if err != nil {
		return err
	}
	letters, err := strconv.Atoi(a.Attributes["ApproximateNumberOfMessages"])
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "dead letters: %d, of which somebody is looking at %s\n", letters, a.Attributes["ApproximateNumberOfMessagesNotVisible"])
	switch {
	case letters == 0:
		fmt.Fprintln(out, "nothing to do")
		return nil
	case !confirm:
		fmt.Fprintln(out, "Each was a fault of ours. See why with make logs FILTER=fault SINCE='1day ago', mend and deploy that,\nthen put them back: make redrive CONFIRM=yes")
		return nil
	}
	arn := a.Attributes["QueueArn"]
	task, err := client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn})
	if err != nil {
		return err
	}
	for {
		list, err := client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: aws.Int32(1)})
		if err != nil {
			return err
		}
		if len(list.Results) == 0 {
			return fmt.Errorf("the task %s is not listed", aws.ToString(task.TaskHandle))
		}
		t := list.Results[0]
		fmt.Fprintf(out, "%s: %d moved\n", aws.ToString(t.Status), t.ApproximateNumberOfMessagesMoved)
		switch aws.ToString(t.Status) {
		case "COMPLETED":
			fmt.Fprintln(out, "next: the dashboard; letters that come again were not mended")
			return nil
		case "FAILED", "CANCELLED":
			return fmt.Errorf("%s: %s (a letter that the sender itself put there, since it could not be read, has no queue to go back to)",
				aws.ToString(t.Status), aws.ToString(t.FailureReason))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; SQS goes on moving them", ctx.Err())
		case <-time.After(pause):
		}
	}
}
