package render

// recipient has two public keys of age. Nobody has their private keys.
var recipient = map[string]string{
	"a": "sops: {age: [age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj]}",
	"b": "sops: {age: [age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z]}",
}

// authority has two CAs. Nobody has their keys.
var authority = map[string]string{"a": `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUOkiZe1zwjxNz5c7VMRzSPE4klQgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJY2EtYS50ZXN0MCAXDTI2MTEyNzIyMzA1OFoYDzIxMjYxMTAz
MjIzMDU4WjAUMRIwEAYDVQQDDAljYS1hLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARbM1/ymyCiya5Jn8yL/yS5PKfY348pscS7O0G0ma2tdk6XQvrwvHpR
Tt+xmchGe94Ce4RpLdaYpvAtP9ZhWRE9o1MwUTAdBgNVHQ4EFgQUpf+OtY6FWFtB
U0/s54vlq2lWrC4wHwYDVR0jBBgwFoAUpf+OtY6FWFtBU0/s54vlq2lWrC4wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA4SC/nneXJKLLlkyOgpQ5
HaJx/Ip8w1VzRDE5DfAqR5YCIFzp44xWTEPNdgYa9+t/4cUoxsUC+Y+R/BD2KCkc
2/DD
-----END CERTIFICATE-----
`, "b": `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUeYbrkPlJ+n0e7+gVKlcui7PvWbEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJY2EtYi50ZXN0MCAXDTI2MTEyNzIyMzA1OFoYDzIxMjYxMTAz
MjIzMDU4WjAUMRIwEAYDVQQDDAljYS1iLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT7x/D4tqB9cL8HOC+IwCHWZGoSfX4dql10IJ6apOCDIiXAjeWDyHvz
B8uSFjBtq6dxGpQnFxw4Sch5YZoRRKWWo1MwUTAdBgNVHQ4EFgQUkPx1EgnMHNXB
37QwCptUNF74TCcwHwYDVR0jBBgwFoAUkPx1EgnMHNXB37QwCptUNF74TCcwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBCTwvUDDRfE+YvRHhDLs7I
DQKyF+KstMxyuODkBoiB9AIhAOrx5GVq90SAA/+31utsHDRFCf5Bv8/EypQRC8/c
kDVm
-----END CERTIFICATE-----
`}
