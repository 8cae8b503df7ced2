package lambda

// PIDs are the process ids of the function's processes, for tests that kill them.
func (f *Function) PIDs() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var pids []int
	for p := range f.processes {
		p.mu.Lock()
		if p.os != nil && !p.killed {
			pids = append(pids, p.os.Pid)
		}
		p.mu.Unlock()
	}
	return pids
}
