// Package webhook posts deliveries to the links organisers paste, and does it safely.
//
// A link is a credential (whoever knows it can write into the organiser's CRM) and at the same
// time an address a stranger typed. So [Link] never shows itself by accident, [Rules] decide which
// links are taken at all (the same rules when a link is saved and when it is used), and [Client]
// refuses every network address that is not a public one, after name resolution. What is sent is
// signed by the Standard Webhooks 1.0.0 specification
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
package webhook
