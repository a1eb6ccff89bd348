package credential

import (
	"regexp"
	"sync"
)

// kind is a kind of credential. mark is a text that every credential of the kind
// contains. Texts without a mark are skipped quickly.
type kind struct {
	what string
	mark string
	form *regexp.Regexp
}

// kinds are the credentials with a known form: the prefixes that the issuers of
// tokens document for scanners.
var kinds = sync.OnceValue(func() []kind {
	return []kind{
		{"a private key", "PRIVATE KEY", form(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY`)},
		{"a private key", "PuTTY-User-Key-File-", form(`PuTTY-User-Key-File-\d`)},
		{"a private key of age", "AGE-SECRET-KEY-", form(`AGE-SECRET-KEY-1[0-9A-Z]{20,}`)},
		{"a token (JWT)", "eyJ", word(`eyJ[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{4,}|\.[A-Za-z0-9_-]{4,})(\.[A-Za-z0-9_-]*)*`)},
		{"a key of Grafana", "eyJrIjoi", word(`eyJrIjoi[A-Za-z0-9+/=]{24,}`)},
		{"a token of OpenShift", "sha256~", word(`sha256~[A-Za-z0-9_-]{20,}`)},
		{"a token of GitHub", "gh", word(`gh[pousr]_[A-Za-z0-9]{30,}`)},
		{"a token of GitHub", "github_pat_", word(`github_pat_[A-Za-z0-9_]{22,}`)},
		{"a token of GitLab", "gl", word(`gl(pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt|ffct|wt)-[A-Za-z0-9_.-]{20,}`)},
		{"a token of GitLab", "GR1348941", word(`GR1348941[A-Za-z0-9_-]{20,}`)},
		{"a token of Bitbucket or Atlassian", "AT", word(`(ATBB[A-Za-z0-9]{28,}|AT(ATT|CTT)3[A-Za-z0-9_=-]{40,})`)},
		{"an access key of AWS", "A", word(`(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`)},
		{"a key of AWS Bedrock", "ABSK", word(`ABSK[A-Za-z0-9+/=]{60,}`)},
		{"a key of Google", "AIza", word(`AIza[A-Za-z0-9_-]{35}`)},
		{"a token of Google", "ya29.", word(`ya29\.[A-Za-z0-9_-]{20,}`)},
		{"a client secret of Google", "GOCSPX-", word(`GOCSPX-[A-Za-z0-9_-]{20,}`)},
		{"an account key of Azure", "AccountKey=", form(`AccountKey=[A-Za-z0-9+/]{40,}`)},
		{"a shared access key of Azure", "SharedAccessKey=", form(`SharedAccessKey=[A-Za-z0-9+/]{20,}`)},
		{"a client secret of Entra ID", "Q~", word(`[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}`)},
		{"a key of Alibaba Cloud", "LTAI", word(`LTAI[A-Za-z0-9]{16,}`)},
		{"a key of Tencent Cloud", "AKID", word(`AKID[A-Za-z0-9]{32}`)},
		{"a token of Slack", "xox", word(`xox[abceoprs]-[A-Za-z0-9-]{10,}`)},
		{"a token of Slack", "xapp-", word(`xapp-[0-9]-[A-Za-z0-9-]{20,}`)},
		{"a webhook of Slack", "hooks.slack.com/", form(`hooks\.slack\.com/(services|workflows|triggers)/[A-Za-z0-9/_-]{20,}`)},
		{"a webhook of Teams", "webhook.office.com/", form(`webhook\.office\.com/webhookb2/[A-Za-z0-9@/_-]{30,}`)},
		{"a webhook of Discord", "/api/webhooks/", form(`discord(app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{20,}`)},
		{"a key of OpenAI or Anthropic", "sk-", word(`sk-(proj|svcacct|admin|None|ant|or|lf)-[A-Za-z0-9_-]{20,}`)},
		{"a key of OpenAI", "sk-", word(`sk-[A-Za-z0-9]{32,}`)},
		{"a token of Hugging Face", "hf_", word(`hf_[A-Za-z0-9]{30,}`)},
		{"a key of Groq", "gsk_", word(`gsk_[A-Za-z0-9]{40,}`)},
		{"a key of xAI", "xai-", word(`xai-[A-Za-z0-9]{60,}`)},
		{"a token of Replicate", "r8_", word(`r8_[A-Za-z0-9]{30,}`)},
		{"a key of Stripe", "k_", word(`[srp]k_(live|test)_[A-Za-z0-9]{16,}`)},
		{"a secret of a webhook", "whsec_", word(`whsec_[A-Za-z0-9+/=]{20,}`)},
		{"a token of npm", "npm_", word(`npm_[A-Za-z0-9]{36}`)},
		{"a token of PyPI", "pypi-", word(`pypi-[A-Za-z0-9_-]{50,}`)},
		{"a key of RubyGems", "rubygems_", word(`rubygems_[a-f0-9]{48}`)},
		{"a key of NuGet", "oy2", word(`oy2[a-z0-9]{43}`)},
		{"a token of Docker Hub", "dckr_", word(`dckr_(pat|oat)_[A-Za-z0-9_-]{20,}`)},
		{"a token of Artifactory", "AKCp", word(`AKCp[A-Za-z0-9]{60,}`)},
		{"a token of Artifactory", "cmVmdGtu", word(`cmVmdGtu[A-Za-z0-9]{40,}`)},
		{"a token of Vault", "hv", word(`hv[sbr]\.[A-Za-z0-9_-]{20,}`)},
		{"a token of HCP Terraform", ".atlasv1.", word(`[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}`)},
		{"a token of Pulumi", "pul-", word(`pul-[a-f0-9]{40}`)},
		{"a token of Doppler", "dp.", word(`dp\.(pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,}`)},
		{"a token of 1Password", "ops_eyJ", word(`ops_eyJ[A-Za-z0-9+/=_-]{40,}`)},
		{"a token of Grafana", "gl", word(`glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}`)},
		{"a token of Grafana Cloud", "glc_", word(`glc_[A-Za-z0-9+/]{32,}`)},
		{"a key of New Relic", "NR", word(`NR(AK|AL|II|IQ|JS|RA)-[A-Za-z0-9]{19,}`)},
		{"a key of New Relic", "NRAL", word(`[a-f0-9]{36}NRAL`)},
		{"a token of Dynatrace", "dt0", word(`dt0[a-z][0-9]{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}`)},
		{"a token of Sentry", "sntry", word(`sntry[su]_[A-Za-z0-9+/=_-]{40,}`)},
		{"a token of Databricks", "dapi", word(`dapi[a-f0-9]{32}`)},
		{"a token of DigitalOcean", "_v1_", word(`do[por]_v1_[a-f0-9]{64}`)},
		{"a key of SendGrid", "SG.", word(`SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
		{"a key of Mailgun", "key-", word(`key-[a-f0-9]{32}`)},
		{"a key of Twilio", "SK", word(`SK[a-f0-9]{32}`)},
		{"a token of Telegram", ":AA", word(`[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}`)},
		{"a token of Shopify", "shp", word(`shp(at|ca|pa|ss)_[a-fA-F0-9]{32}`)},
		{"a token of PlanetScale", "pscale_", word(`pscale_(tkn|pw|oauth)_[A-Za-z0-9_.=-]{30,}`)},
		{"a key of Postman", "PMAK-", word(`PMAK-[a-f0-9]{24}-[a-f0-9]{34}`)},
		{"a key of Linear", "lin_", word(`lin_(api|oauth)_[A-Za-z0-9]{30,}`)},
		{"a token of Tailscale", "tskey-", word(`tskey-[a-z]+-[A-Za-z0-9-]{16,}`)},
		{"a token of CircleCI", "CCIPAT_", word(`CCIPAT_[A-Za-z0-9_]{40,}`)},
		{"a token of Buildkite", "bkua_", word(`bkua_[a-f0-9]{40}`)},
		{"a token of Fly", "fm2_", word(`fm2_[A-Za-z0-9+/=_-]{40,}`)},
		{"a token of Rancher", "token-", word(`token-[a-z0-9]{5}:[a-z0-9]{40,}`)},
		{"a token of Heroku", "HRKU-", word(`HRKU-[A-Za-z0-9_-]{36,}`)},
		{"a token of Figma", "figd_", word(`figd_[A-Za-z0-9_-]{38,}`)},
		{"a token of Notion", "ntn_", word(`ntn_[A-Za-z0-9]{40,}`)},
		{"a token of Airtable", "pat", word(`pat[A-Za-z0-9]{14}\.[a-f0-9]{64}`)},
		{"a token of Cloudflare", "v1.0-", word(`v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}`)},
		{"a bearer token", "earer", form(`(?i)\bbearer[ \t]+[A-Za-z0-9._~+/-]*[0-9][A-Za-z0-9._~+/-]{7,}`)},
		{"a bearer token", "earer", form(`(?i)^\s*bearer[ \t]+[A-Za-z0-9._~+/-]{20,}=*\s*$`)},
		{"a kubeconfig with credentials", "kind", form(`(?s)kind:\s*"?Config\b.*(token|client-key-data|password)"?:\s*["']?[^\s"'{]`)},
		{"a password of a .netrc", "password", form(`\blogin[ \t]+\S+\s+password[ \t]+\S`)},
		{"a URL with a password", "@", form(`[A-Za-z][-+.A-Za-z0-9]*://[^/\s:@"',]*:[^/\s@"',]+@`)},
		{"a URL with a token", "@", form(`[A-Za-z][-+.A-Za-z0-9]*://[^/\s:@."',]{20,}@`)},
	}
})

// form is a form that counts at any position. Its first group is empty.
func form(re string) *regexp.Regexp { return regexp.MustCompile("()" + re) }

// word is a form that counts only at the beginning of a word. Inside a longer word,
// such as base64 of sealed data, it is chance. Its first group is the text before it.
func word(re string) *regexp.Regexp { return regexp.MustCompile("(^|[^A-Za-z0-9])(?:" + re + ")") }
