package tree

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// stage is a folder in which files wait to be renamed. All files are written through the
// folder that newStage opened. So they go nowhere else, even if something else takes the
// folder's name later.
type stage struct {
	parent *os.Root
	above  string // the path of the parent
	name   string // "" after it was renamed to the tree
	root   *os.Root
}

func newStage(parent *os.Root, above, name string) (*stage, error) {
	s := &stage{parent: parent, above: above, name: name}
	err := parent.Mkdir(name, 0o755)
	if err == nil {
		if s.root, err = parent.OpenRoot(name); err != nil {
			err = errors.Join(err, parent.Remove(name))
		}
	}
	if err != nil {
		return nil, s.fault("mkdir", err)
	}
	if err := s.check(); err != nil {
		return nil, s.end(err)
	}
	return s, nil
}

func (s *stage) fault(op string, err error) error {
	return &os.PathError{Op: op, Path: filepath.Join(s.above, s.name), Err: cause(err)}
}

// check makes sure that the name is still the name of the opened folder.
func (s *stage) check() error {
	opened, err := s.root.Stat(".")
	if err != nil {
		return s.fault("stat", err)
	}
	named, err := s.parent.Lstat(s.name)
	if err != nil {
		return s.fault("stat", err)
	}
	if !os.SameFile(opened, named) {
		return s.fault("write", errors.New("somebody has put something else in the place of this folder"))
	}
	return nil
}

// end closes the stage and removes the rest of it.
func (s *stage) end(err error) error {
	s.root.Close()
	if s.name == "" {
		return err
	}
	if cleaning := s.parent.RemoveAll(s.name); cleaning != nil { // follows no links
		err = errors.Join(err, s.fault("remove", cleaning))
	}
	return err
}

// write writes files to the stage. It returns when all files are written, or when ctx
// or a failed file ended the work. It makes and opens each folder once.
func (s *stage) write(ctx context.Context, d *Dir, files []staged) error {
	slices.SortFunc(files, func(a, b staged) int { return strings.Compare(a.at, b.at) })
	top, err := openFolder(s.root)
	if err != nil {
		return s.fault("open", err)
	}
	defer top.close()
	w := writing{ctx: ctx, dir: d, part: max(len(files)/workers, 64), failed: new(atomic.Bool)}
	if err := w.into(top, files, 0); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return d.interrupted(ctx, "write")
	}
	return nil
}

// writing is the state of one goroutine of stage.write.
type writing struct {
	ctx    context.Context
	dir    *Dir
	part   int          // more files than this are shared with another goroutine
	failed *atomic.Bool // one of the goroutines has failed
	text   []byte       // reused for each file
}

// into writes sorted files to an open folder. The first from bytes of their paths are
// the path of this folder.
func (w *writing) into(in folder, files []staged, from int) error {
	if cut := w.middle(files, from); cut > 0 {
		other, done := *w, make(chan error, 1)
		other.text = nil
		go func() { done <- other.into(in, files[:cut], from) }()
		err := w.into(in, files[cut:], from)
		return cmp.Or(<-done, err)
	}
	for len(files) > 0 && !w.failed.Load() {
		var err error
		together := 1
		if name, _, below := strings.Cut(files[0].at[from:], "/"); below {
			together = alike(files, from+len(name)+1)
			err = w.below(in, name, files[:together], from+len(name)+1)
		} else {
			err = w.file(in, name, files[0])
		}
		if err != nil {
			w.failed.Store(true)
			return err
		}
		files = files[together:]
	}
	return nil
}

// below makes a folder for files and writes them to it.
func (w *writing) below(in folder, name string, files []staged, from int) error {
	inner, err := in.make(name)
	if err != nil {
		return w.dir.fault("write", files[0].Path, err)
	}
	defer inner.close()
	return w.into(inner, files, from)
}

func (w *writing) file(in folder, name string, f staged) error {
	if w.ctx.Err() != nil {
		return w.dir.interrupted(w.ctx, "write")
	}
	w.text = f.appendText(w.text[:0])
	if err := in.write(name, w.text, f.at == unfinishedMarker); err != nil { // that marker must be on the disk before the first rename
		return w.dir.fault("write", f.Path, err)
	}
	return nil
}

// alike counts the files at the start of a list that share the first bytes of their
// paths with the first one.
func alike(files []staged, bytes int) int {
	shared, n := files[0].at[:bytes], 1
	for n < len(files) && strings.HasPrefix(files[n].at, shared) {
		n++
	}
	return n
}

// middle returns an index near the middle of many sorted files at which no folder is cut
// in two; 0 if there is none, or if the files are few.
func (w *writing) middle(files []staged, from int) int {
	if len(files) <= w.part {
		return 0
	}
	starts := func(i int) bool { // a folder or a file
		name, _, below := strings.Cut(files[i].at[from:], "/")
		return !below || !strings.HasPrefix(files[i-1].at[from:], name+"/")
	}
	half := len(files) / 2
	for i := half; i > 0; i-- {
		if starts(i) {
			return i
		}
	}
	for i := half + 1; i < len(files); i++ {
		if starts(i) {
			return i
		}
	}
	return 0
}
