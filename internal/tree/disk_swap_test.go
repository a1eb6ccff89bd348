package tree

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStageIsSwapped has somebody put a link in the place of each staging folder as
// soon as it is there. Nothing is written to where the link leads, and a tree is
// never one that somebody else has made.
func TestStageIsSwapped(t *testing.T) {
	for name, first := range map[string]bool{"absent": true, "present": false} {
		t.Run(name, func(t *testing.T) {
			base := memoryDir(t)
			outside, away, parent := filepath.Join(base, "outside"), filepath.Join(base, "away"), filepath.Join(base, "parent")
			for _, dir := range []string{outside, away, parent} {
				require.NoError(t, os.Mkdir(dir, 0o755))
			}
			dir := filepath.Join(parent, "out")
			watched := parent
			if !first {
				watched = dir
			}
			stop, stopped := make(chan struct{}), make(chan struct{})
			var swapped atomic.Int64
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
					}
					entries, _ := os.ReadDir(watched)
					for _, e := range entries {
						if !strings.Contains(e.Name(), markerName+"-") || e.Type()&os.ModeSymlink != 0 {
							continue
						}
						stage := filepath.Join(watched, e.Name())
						if os.Rename(stage, filepath.Join(away, e.Name())) == nil && os.Symlink(outside, stage) == nil {
							swapped.Add(1)
						}
					}
				}
			}()
			written := 0
			for i := range 50 {
				var files []File
				for n := range 40 {
					files = append(files, signed(string(rune('a'+n%26))+"/"+strings.Repeat("x", n)+"y="+strings.Repeat("z", i))...)
				}
				if first {
					require.NoError(t, os.RemoveAll(dir))
				}
				if tryApply(t, context.Background(), dir, files) == nil {
					written++
					info, err := os.Lstat(dir)
					require.NoError(t, err)
					require.True(t, info.IsDir(), "the tree is a link")
				}
				require.Empty(t, namesIn(t, outside))
			}
			close(stop)
			<-stopped
			t.Logf("swapped %d times, written %d times", swapped.Load(), written)
			assert.NotZero(t, swapped.Load())
		})
	}
}
