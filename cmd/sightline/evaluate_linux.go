package main

import (
	"runtime/metrics"
	"syscall"
)

// besidesHeap is how much memory Go's runtime maps in addition to the heap.
const besidesHeap = 64 << 20

// mapped returns how many bytes of memory Go's runtime has from the system.
func mapped() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// limitMemory makes the kernel refuse more memory than most bytes. Go allocates a long
// list or string in one step, without a look at its own limit. If the kernel sets no
// limit, only the limit of the heap holds.
func limitMemory(most int64) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_DATA, &limit) == nil {
		limit.Cur = min(limit.Max, uint64(most+besidesHeap))
		_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
	}
}
