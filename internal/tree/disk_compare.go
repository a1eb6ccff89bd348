package tree

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Claims say which files are ours although they have no line of ours.
type Claims struct {
	// Before is for a marker of a version that put no line into its files. It returns a
	// function that tells whether that version would write a file in the same way. Such
	// files are ours. Compare calls Before only if there are files to look at.
	Before func() func(p string, content []byte) bool
	// Wrote tells whether such a version can have written a file for another topology.
	// In a tree of such a version, these files are in the way too. Later, nothing would
	// show whose they are.
	Wrote func(p string, content []byte) bool
	// Adopt takes regular files that are in the way.
	Adopt bool
	// Inputs are files and folders on the disk that this render reads. Adopt never
	// takes them.
	Inputs []string
}

// isInput tells whether a path in the directory is one of the inputs, or inside one.
func (d *Dir) isInput(p string, inputs []string) bool {
	for at := p; at != ""; at = folderOf(at) {
		there, err := os.Stat(d.real(at))
		if err != nil {
			continue
		}
		for _, input := range inputs {
			if read, err := os.Stat(input); err == nil && os.SameFile(there, read) {
				return true
			}
		}
	}
	return false
}

// Compare compares the directory with a new tree, file by file, and changes nothing. The
// files are from Sign. ctx ends the comparison early.
//
// If something that is not ours is in the way, the error is a *finding.Refusal with its
// path. Other files that are not ours stay.
func (d *Dir) Compare(ctx context.Context, files []File, claims Claims) (*Plan, error) {
	if !ordinary(files) { // Sign keeps the order of New
		var err error
		if files, err = New(files); err != nil {
			return nil, err
		}
	}
	found := newFindings(files)
	buffers := sync.Pool{New: func() any { return new(buffer) }}
	err := d.walk(ctx, visitor{
		folder: found.folder,
		nested: found.nested,
		other: func(p string, in folder, what fs.FileMode, vanish bool) error {
			i := found.wants(p)
			if i < 0 || !what.IsRegular() {
				return d.stray(found, p, what, vanish)
			}
			buffer := buffers.Get().(*buffer)
			defer buffers.Put(buffer)
			equal, err := buffer.equals(files[i], in)
			if err != nil {
				return d.fault("read", p, err)
			}
			if equal {
				found.state[i] = same
				return nil
			}
			mine, info, err := d.look(p)
			if err == nil {
				found.differs(i, info, mine)
			}
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	if err := d.claim(found, claims); err != nil {
		return nil, err
	}
	if err := found.guard(d); err != nil {
		return nil, err
	}
	return found.plan(d), nil
}

// stray looks at something that is not a regular file at the place of a file of the tree.
func (d *Dir) stray(found *findings, p string, what fs.FileMode, vanish bool) error {
	if !what.IsRegular() {
		found.stays(p, what, vanish)
		return nil
	}
	mine, err := d.isOurs(p)
	if err != nil && !os.IsPermission(err) { // a file that we may not read is not ours
		return err
	}
	if !mine {
		found.stays(p, what, vanish)
		return nil
	}
	info, err := os.Lstat(d.real(p))
	if err != nil {
		return err
	}
	found.goes(p, info)
	return nil
}

// isOurs tells whether we wrote a regular file.
func (d *Dir) isOurs(p string) (bool, error) {
	if lineOf(p) == nil && !strings.HasPrefix(p, copies) {
		return false, nil
	}
	head, err := readHead(d.real(p), headSize(p))
	if err != nil || isSigned(p, head) {
		return err == nil, err
	}
	return d.isCopyOfOurs(p)
}

// isCopyOfOurs tells whether a regular file without our line is a copy that we made.
func (d *Dir) isCopyOfOurs(p string) (bool, error) {
	if d.found == nil || len(d.found.copies) == 0 || !strings.HasPrefix(p, copies) {
		return false, nil
	}
	// A digest alone is no proof, because anybody can write a marker. So the overlay's
	// folder must also have a kustomization of ours.
	component := componentOf(p)
	head, err := readHead(d.real(component), headSize(component))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !isSigned(component, head) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	content, err := os.ReadFile(d.real(p))
	return err == nil && d.found.copies[copyOf(p, content)], err
}

func readHead(name string, size int) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return headOf(f, size)
}

func headOf(f *os.File, size int) ([]byte, error) {
	head := make([]byte, size)
	n, err := f.ReadAt(head, 0)
	if err == io.EOF {
		err = nil
	}
	return head[:n], err
}

// claim makes files ours that have no line but that the claims allow.
func (d *Dir) claim(found *findings, claims Claims) error {
	if d.unsigned() && len(found.blocked)+len(found.strays) > 0 {
		if err := d.claimUnsigned(found, claims); err != nil {
			return err
		}
	}
	if !claims.Adopt {
		return nil
	}
	for _, p := range found.adoptable() {
		if d.isInput(p, claims.Inputs) {
			return inTheWay(d.real(p), "is read by this render, and would be replaced by it", "another file",
				"choose another directory with -o")
		}
		info, err := os.Lstat(d.real(p))
		if err != nil {
			return err
		}
		found.take(p, info)
	}
	return nil
}

// claimUnsigned is for a tree of a version that put no line into its files. It takes the
// files that the version wrote for this topology, and finds the files that it may have
// written for another one.
func (d *Dir) claimUnsigned(found *findings, claims Claims) error {
	if claims.Before == nil {
		return nil
	}
	before := claims.Before()
	for _, p := range found.foreign() {
		info, err := os.Lstat(d.real(p))
		if err != nil {
			return err
		}
		if info.Size() > 1<<20 {
			continue // larger than any file of that version
		}
		content, err := os.ReadFile(d.real(p))
		if os.IsPermission(err) {
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case before(p, content):
			found.take(p, info)
		case found.strays[p] && claims.Wrote(p, content):
			found.blocked[p] = isLeft
		}
	}
	return nil
}

// visitor has the functions that a walk calls.
type visitor struct {
	// folder tells whether to go into a folder, and whether the folder must vanish
	// because the tree has something else in its place.
	folder func(p string, vanish bool) (enter, vanishes bool)
	nested func(p string, vanish bool) // a folder that is another checkout or output directory
	// other is for the rest. in is the open folder with it.
	other func(p string, in folder, what fs.FileMode, vanish bool) error
}

// walk calls the visitor for everything in the directory, a folder before its content,
// otherwise in no order and from several goroutines. p is the path in the tree. walk
// sees links and follows none.
func (d *Dir) walk(ctx context.Context, v visitor) error {
	if d.absent {
		return nil
	}
	top, err := openPath(d.path)
	if err != nil {
		return &fs.PathError{Op: "open", Path: d.path, Err: cause(err)}
	}
	defer top.close()
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	w := walking{ctx: within, dir: d, visitor: v, more: g}
	g.Go(func() error { return w.through(top, below{}) })
	return g.Wait()
}

// walking is a walk through a directory.
type walking struct {
	visitor
	ctx  context.Context
	dir  *Dir
	more *errgroup.Group
}

// below is a folder of the directory.
type below struct {
	path   string // "" is the top
	vanish bool   // the tree has something else in its place
}

// through walks through an open folder.
func (w *walking) through(in folder, at below) error {
	if w.ctx.Err() != nil {
		return w.dir.interrupted(w.ctx, "read")
	}
	entries, err := in.entries()
	if err != nil {
		return w.dir.fault("read", at.path, err)
	}
	if at.path != "" && slices.ContainsFunc(entries, isOwn) {
		w.nested(at.path, at.vanish)
		return nil
	}
	var inside []below
	for _, e := range entries {
		p := e.name
		if at.path != "" {
			p = at.path + "/" + p
		} else if isOwn(e) || staging(e.name, e.what.IsDir(), stagePrefix) {
			continue
		}
		if !e.what.IsDir() {
			if err := w.other(p, in, e.what, at.vanish); err != nil {
				return err
			}
		} else if enter, vanish := w.folder(p, at.vanish); enter {
			inside = append(inside, below{p, vanish})
		}
	}
	// Few folders are not worth a goroutine.
	var others sync.WaitGroup
	defer others.Wait()
	for some := range slices.Chunk(inside, 64) {
		others.Add(1)
		walk := func() error {
			defer others.Done()
			return w.into(in, some)
		}
		if len(some) == len(inside) || !w.more.TryGo(walk) {
			if err := walk(); err != nil {
				return err
			}
		}
	}
	return nil
}

// into walks through folders in an open folder.
func (w *walking) into(in folder, folders []below) error {
	for _, f := range folders {
		inner, err := in.enter(path.Base(f.path))
		if os.IsPermission(err) { // we did not make it
			w.nested(f.path, f.vanish)
			continue
		}
		if err != nil {
			return w.dir.fault("open", f.path, err)
		}
		err = w.through(inner, f)
		inner.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// entry is a file or a folder in a folder.
type entry struct {
	name string
	what fs.FileMode
}

// isOwn tells whether an entry makes its folder a checkout or an output directory.
func isOwn(e entry) bool {
	return strings.EqualFold(e.name, ".git") || e.name == markerName
}

// Files reads our files in the directory, and returns them sorted: the tree of the last
// Apply, with later edits. In a tree of a version that put no line into its files, it
// returns all regular files.
func (d *Dir) Files(ctx context.Context) ([]File, error) {
	var mu sync.Mutex
	var files []File
	err := d.walk(ctx, visitor{
		folder: func(p string, _ bool) (bool, bool) { return !hidden(p), false },
		nested: func(string, bool) {},
		other: func(p string, _ folder, what fs.FileMode, _ bool) error {
			if !what.IsRegular() {
				return nil
			}
			mine, err := d.isOurs(p)
			if err != nil || !mine && !d.unsigned() {
				return ignorePermission(err)
			}
			content, err := os.ReadFile(d.real(p))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			files = append(files, File{Path: p, Content: content, Copy: !isSigned(p, content)})
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

func ignorePermission(err error) error {
	if os.IsPermission(err) {
		return nil
	}
	return err
}

// buffer holds the texts of two files that are compared.
type buffer struct{ want, there []byte }

// equals tells whether a file in an open folder has the text of a file of the tree. It
// reads the file only if the size is the same.
func (b *buffer) equals(f File, in folder) (bool, error) {
	b.want = f.appendText(b.want[:0])
	b.there = slices.Grow(b.there[:0], len(b.want))[:len(b.want)]
	same, err := in.same(path.Base(f.Path), b.there)
	return same && bytes.Equal(b.there, b.want), err
}

// look tells whether a regular file that differs from the tree is ours.
func (d *Dir) look(p string) (mine bool, info fs.FileInfo, err error) {
	f, err := open(d.real(p))
	if err != nil {
		return false, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return false, nil, err
	}
	head, err := headOf(f, headSize(p))
	if err != nil || isSigned(p, head) {
		return err == nil, info, err
	}
	mine, err = d.isCopyOfOurs(p)
	return mine, info, err
}

// Changes returns the changes that Apply makes, sorted by path. It reads the old texts of
// changed and removed files from the disk, so call it before Apply.
func (p *Plan) Changes(ctx context.Context) ([]Change, error) {
	if len(p.changes) == 0 {
		return nil, nil
	}
	changes := make([]Change, len(p.changes))
	for i, c := range p.changes {
		changes[i] = Change{Path: c.Path, Kind: c.kind}
		if c.kind != Removed {
			changes[i].New = c.Text()
		}
	}
	if p.dir.absent {
		return changes, nil
	}
	root, err := os.OpenRoot(p.dir.path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for i, c := range changes {
		if ctx.Err() != nil {
			return nil, p.dir.interrupted(ctx, "read")
		}
		if c.Kind == Added {
			continue
		}
		if changes[i].Old, err = root.ReadFile(c.Path); err != nil {
			return nil, p.dir.fault("read", c.Path, err)
		}
	}
	return changes, nil
}
