package main

import (
	"runtime/metrics"
	"syscall"
)

// besidesHeap is what the runtime maps beyond the heap that it was told to keep.
const besidesHeap = 64 << 20

// mapped is how much memory the runtime has of the system.
func mapped() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// limitMemory has the kernel refuse more memory than that: for a list or a string
// that is made in one step nobody is asked before. Where it does not, the limit of
// the heap is left.
func limitMemory(most int64) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_DATA, &limit) == nil {
		limit.Cur = min(limit.Max, uint64(most+besidesHeap))
		_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
	}
}
