// Package deployed tests the product as sam deploy leaves it, on an emulator of AWS that nobody of this project wrote:
// make e2e-deploy. It has nothing but the test, which is out of the ordinary build (tag deploy).
package deployed
