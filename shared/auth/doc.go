// Package auth decides who calls: the Academy by its API key, which reaches every account, or an
// organiser's page by a page token, which reaches one account for minutes to hours, or Albato by an account token, which
// reaches a few routes of one account until it is revoked.
//
// A function makes one [Keys] per process and wraps its routes:
//
//	keys := auth.NewKeys(auth.FromSecretsManager(client, cfg.SecretID), time.Now)
//	mux.Handle("GET /v1/accounts/{account}/connections", keys.Require(list))
//	mux.Handle("POST /v1/events", keys.RequireAPIKey(accept))
//
// Who it is stands in the request's context ([FromContext]). Whoever is not allowed learns nothing:
// without a valid token everything is a 401, and another account's address is the same 404 as an
// address that does not exist.
package auth
