package kiali

// Port is the default of server.port: the port of a Kiali server (kiali-operator
// roles/default/kiali-deploy/defaults/main.yml).
const Port = 20001
