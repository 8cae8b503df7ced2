package main

import "path/filepath"

// counted are tests that hold for our own service alone.
func counted(more map[string]map[string]string) map[string]map[string]string {
	all := map[string]map[string]string{"./shared/table": {
		"TestEraseOrderGoesOn":              ours,
		"TestARareFilterEndsItsCall":        ours,
		"TestSummaryOfALongLogIsIncomplete": ours,
		"TestAUsualEntryIsOneWriteUnit":     ours,
	}}
	for pkg, tests := range more {
		all[pkg] = tests
	}
	return all
}

// As of moto 5.2.5 and MiniStack 1.5.33.
var emulators = []emulator{
	{
		name:    "moto",
		command: func(python, port string) []string { return []string{python, "-c", moto, port} },
		differs: counted(map[string]map[string]string{"./shared/queue": {
			"TestMessagesArriveWholeInOrderAndOnce": "its sequence numbers do not rise",
		}}),
	},
	{
		name:    "ministack",
		command: func(python, _ string) []string { return []string{filepath.Join(filepath.Dir(python), "ministack")} },
		env:     []string{"BIND_HOST=127.0.0.1", "IOT_MTLS_ENABLED=0"},
		differs: counted(nil),
	},
}
