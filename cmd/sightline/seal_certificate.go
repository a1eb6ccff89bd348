package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// trust reads the known certificates of the hub from the links of a topology. A file
// that cannot be read gives none, but shows that there was a link before.
func (o *sealOptions) trust(links string) (seal.Trust, error) {
	t := seal.Trust{First: true, Served: o.hubContext != ""}
	if o.acceptCert != "" {
		var err error
		if t.Accepted, err = seal.ParseFingerprint(o.acceptCert); err != nil {
			return t, &hinted{fmt.Errorf("--accept-cert: %w", err), "sightline seal prints it when it refuses a certificate; openssl x509 -in " +
				"FILE -noout -fingerprint -sha256 has its digits too"}
		}
	}
	entries, err := readFolder(links)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".yaml") || strings.HasPrefix(entry.Name(), ".") || entry.IsDir() {
			continue
		}
		link, findings, err := readLink(filepath.Join(links, entry.Name()))
		switch {
		case err != nil:
			return t, err
		case link == nil || len(findings) > 0:
			t.First = false
		case link.Spec.Certificate != nil: // a link in the format of SOPS has none
			t.First = false
			t.Known = append(t.Known, link.Spec.Certificate.Fingerprint)
		}
	}
	return t, nil
}

// command returns the given command without its step, so that a hint can add a flag.
func (o *sealOptions) command(t *topology.Topology) string {
	which := "CLUSTER"
	if o.all {
		which = command.All
	}
	return command.Seal(which, o.topology, o.flagsFor(t))
}

// certificate reads the hub's certificate from --cert or from the controller.
func (o *sealRun) certificate(ctx context.Context) (*seal.Certificate, error) {
	var data []byte
	var err error
	if o.cert == "" && o.hubContext == "" {
		return nil, &hinted{errors.New("no certificate to seal with"), certificateHint}
	}
	if o.hubContext != "" {
		data, err = o.fetchCertificate(ctx)
	} else if data, err = readFile(o.cert); err != nil {
		err = &hinted{fmt.Errorf("--cert: %w", err), certificateHint}
	}
	if err != nil {
		return nil, err
	}
	return seal.ParseCertificate(data, time.Now())
}

const certificateHint = "get it from the controller on the hub: kubeseal --fetch-cert > hub.pem, and name it with --cert; or name the " +
	"hub with --hub-context"
