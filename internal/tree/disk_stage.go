package tree

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// stage is a folder in which files wait to be renamed. It is written through the
// folder that was opened when it was made, so that nothing that takes its name
// later leads the files elsewhere.
type stage struct {
	parent *os.Root
	above  string // the path of the parent
	name   string // "" when it is no more
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

// check makes sure that the name still is that of the folder.
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

// end closes the stage and removes what is left of it.
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

// folder is a folder that is open for as long as somebody works in it.
type folder struct {
	root  *os.Root
	path  string
	users atomic.Int32
}

func (f *folder) leave() {
	if f.users.Add(-1) == 0 {
		f.root.Close()
	}
}

// enter makes a folder in this one and opens it.
func (f *folder) enter(name string) (*folder, error) {
	if err := f.root.Mkdir(name, 0o755); err != nil {
		return nil, err
	}
	root, err := f.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	inner := &folder{root: root, path: path.Join(f.path, name)}
	inner.users.Store(1)
	return inner, nil
}

// write writes files to the stage, and returns when all are written or ctx ended
// it. Each folder is made once and opened once; its files then cost one step each.
func (s *stage) write(ctx context.Context, d *Dir, files []staged) error {
	slices.SortFunc(files, func(a, b staged) int { return strings.Compare(a.at, b.at) })
	top := &folder{root: s.root}
	top.users.Store(2) // the stage keeps it
	open := []*folder{top}
	defer func() {
		for _, f := range open {
			f.leave()
		}
	}()
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	making := func() error {
		for _, f := range files {
			if within.Err() != nil {
				return nil
			}
			var err error
			if open, err = into(open, folderOf(f.at)); err != nil {
				return d.fault("write", f.Path, err)
			}
			in := open[len(open)-1]
			in.users.Add(1)
			g.Go(func() error {
				defer in.leave()
				if ctx.Err() != nil {
					return d.interrupted(ctx, "write")
				}
				if err := writeFile(in.root, path.Base(f.at), f.Content); err != nil {
					return d.fault("write", f.Path, err)
				}
				return nil
			})
		}
		return nil
	}()
	if err := g.Wait(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return d.interrupted(ctx, "write")
	}
	return making
}

// into leaves and enters folders until the last of them is the one at a path.
func into(open []*folder, at string) ([]*folder, error) {
	for {
		last := open[len(open)-1]
		if last.path == at {
			return open, nil
		}
		if last.path != "" && !strings.HasPrefix(at, last.path+"/") {
			last.leave()
			open = open[:len(open)-1]
			continue
		}
		rest := strings.TrimPrefix(at[len(last.path):], "/")
		name, _, _ := strings.Cut(rest, "/")
		inner, err := last.enter(name)
		if err != nil {
			return open, err
		}
		open = append(open, inner)
	}
}

func writeFile(in *os.Root, name string, content []byte) error {
	file, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil && name == unfinishedMarker {
		err = file.Sync() // before anything is renamed
	}
	if err != nil {
		file.Close()
		return err
	}
	return file.Close() // some file systems say "full" only here
}
