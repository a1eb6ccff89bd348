package kiali

// Port is the port at which a Kiali server listens, where server.port of its spec
// says no other (kiali-operator roles/default/kiali-deploy/defaults/main.yml).
const Port = 20001
