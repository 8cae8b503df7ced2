package verify

import _ "embed"

// The checks as receivers copy them.
var (
	//go:embed verify.go
	Go string
	//go:embed verify.mjs
	Node string
	//go:embed verify.py
	Python string
	//go:embed verify.php
	PHP string
)
