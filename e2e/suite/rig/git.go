package rig

import (
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Repository is a Git repository with one work tree, for engines to fetch from.
type Repository struct {
	URL  string
	Work string // the work tree
	bare string
}

// StartGit serves a new repository with Git's own HTTP server, until the test ends.
func StartGit(t testing.TB) *Repository {
	t.Helper()
	root := t.TempDir()
	const name = "mesh.git"
	r := &Repository{Work: filepath.Join(root, "work"), bare: filepath.Join(root, "served", name)}
	Run(t, "git", "init", "--quiet", "--bare", "--initial-branch=main", r.bare)
	Run(t, "git", "init", "--quiet", "--initial-branch=main", r.Work)
	backend := filepath.Join(strings.TrimSpace(Run(t, "git", "--exec-path")), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Fatalf("Git's HTTP server is not installed: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:           &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(r.bare), "GIT_HTTP_EXPORT_ALL=1"}},
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	r.URL = "http://" + listener.Addr().String() + "/" + name
	return r
}

// Push commits the work tree to main, and returns the commit.
func (r *Repository) Push(t testing.TB, message string) string {
	t.Helper()
	git := func(args ...string) string {
		return strings.TrimSpace(Run(t, "git", append([]string{"-C", r.Work, "-c", "user.name=e2e", "-c", "user.email=e2e@example.com"},
			args...)...))
	}
	git("add", "--all")
	git("commit", "--quiet", "--allow-empty", "--message", message)
	git("push", "--quiet", r.bare, "main")
	return git("rev-parse", "HEAD")
}
