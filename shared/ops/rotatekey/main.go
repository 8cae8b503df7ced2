// Command rotatekey changes the Academy's API key without a moment in which neither works: a new key becomes the current
// one and the old one stays good (-step new); when the Academy has changed over, the old one goes (-step finish).
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	secret := flag.String("secret", "", "the stack's output SecretArn")
	step := flag.String("step", "", "new: a new key, the old one stays good; finish: the old one goes")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "make rotate-key ENV=prod STEP=new      makes a new API key; the old one stays good\nmake rotate-key ENV=prod STEP=finish   ends the old one, when the Academy uses the new one\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err == nil {
		err = run(ctx, secretsmanager.NewFromConfig(cfg), *secret, *step, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rotatekey:", err)
		os.Exit(1)
	}
}

// store is the secret's keeper.
type store interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

// run takes one step. It prints no key: keys are read in Secrets Manager, not in a terminal's history.
func run(ctx context.Context, keeper store, secret, step string, out io.Writer) error {
	if secret == "" {
		return errors.New("no secret: is the stack deployed, and are these the credentials of its account?")
	}
	current, err := keeper.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret})
	if err != nil {
		return err
	}
	value := map[string]any{} // what else is in it stays
	if err := json.Unmarshal([]byte(*current.SecretString), &value); err != nil {
		return errors.New("the secret is not a JSON object")
	}
	key, _ := value["api_key"].(string)
	previous, _ := value["previous_api_key"].(string)
	var next string
	switch {
	case key == "":
		return errors.New("the secret has no api_key")
	case step == "new" && previous != "":
		return errors.New("a rotation is under way: end it with STEP=finish first, or whoever uses the older key is locked out")
	case step == "new":
		value["api_key"], value["previous_api_key"] = rand.Text()+rand.Text(), key
		next = "next: give the Academy the new api_key (read it in Secrets Manager); when it uses it, STEP=finish"
	case step == "finish" && previous == "":
		return errors.New("no rotation is under way")
	case step == "finish":
		value["previous_api_key"] = ""
		next = "done: the old key, and every page token made with it, stop working within five minutes"
	default:
		return errors.New("STEP=new or STEP=finish")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	changed := string(text)
	if _, err := keeper.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &secret, SecretString: &changed}); err != nil {
		return err
	}
	fmt.Fprintln(out, next)
	return nil
}
