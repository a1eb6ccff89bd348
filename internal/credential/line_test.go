package credential

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestInLine(t *testing.T) {
	for _, line := range []string{
		"password: hunter2",
		`- {name: "DB_PASSWORD", "dbPassword" : 'x'}`,
		"url: https://user:pa55word@example.com/",
		"args: [--token=abcdefgh]",
		"  MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
		"value: 0123456789abcdef0123456789abcdef",
	} {
		assert.True(t, InLine(line), line)
	}
	for _, line := range []string{
		"",
		"kiali: {hub: east, version: v2.22}",
		"server: https://api.cluster-with-a-long-name.west.example.com:6443",
		"password: secret:thanos:password",
		"secretName: thanos",
		"password:",
		"aKeyWithAVeryLongNameThatIsNoCredentialAtAll: x",
	} {
		assert.False(t, InLine(line), line)
	}
}
