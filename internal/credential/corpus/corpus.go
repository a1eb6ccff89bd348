// Package corpus makes up credentials of real form, for tests. None was ever
// valid, and none stands in a file: scanners of repositories know them too.
package corpus

import (
	"encoding/base64"
	"math/rand"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// forms are credentials with their random parts as <alphabet>{length}.
var forms = []string{
	"gh" + "p_<A>{36}", "gh" + "o_<A>{36}", "gh" + "s_<A>{36}", "gh" + "r_<A>{36}", "gh" + "u_<A>{36}", "github" + "_pat_<A>{22}_<A>{59}",
	"gl" + "pat-<A>{20}", "gl" + "dt-<A>{20}", "gl" + "rt-<A>{20}", "gl" + "cbt-1f_<A>{20}", "gl" + "agent-<A>{50}", "gl" +
		"soat-<A>{20}", "GR" + "1348941<A>{20}",
	"AT" + "BB<A>{32}", "AT" + "ATT3xFfGF0<A>{60}=<X>{8}",
	"AK" + "IA<U>{16}", "AS" + "IA<U>{16}", "ABSK<A>{120}",
	"AI" + "za<A>{35}", "ya" + "29.a0<A>{60}", "GOC" + "SPX-<A>{28}",
	"DefaultEndpointsProtocol=https;AccountName=mesh;Account" + "Key=<A>{86}==;EndpointSuffix=core.windows.net",
	"Endpoint=sb://mesh.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccess" + "Key=<A>{43}=",
	"<A>{3}8Q" + "~<A>{34}", "LT" + "AI5t<A>{20}", "AK" + "ID<A>{32}",
	"xo" + "xb-<D>{12}-<D>{12}-<A>{24}", "xo" + "xp-<D>{12}-<D>{12}-<D>{12}-<x>{32}", "xa" + "pp-1-A<U>{10}-<D>{13}-<x>{64}",
	"https://hooks.slack.com/ser" + "vices/T<U>{10}/B<U>{10}/<A>{24}",
	"https://discord.com/api/web" + "hooks/<D>{18}/<A>{68}",
	"https://mesh.webhook.office.com/web" + "hookb2/<x>{8}-<x>{4}-<x>{4}/IncomingWebhook/<x>{32}",
	"sk" + "-proj-<A>{48}", "sk" + "-ant-api03-<A>{93}", "sk" + "-<A>{48}", "hf" + "_<L>{34}", "gs" + "k_<A>{52}", "xa" + "i-<A>{80}", "r8" +
		"_<A>{37}",
	"sk" + "_live_<A>{24}", "rk" + "_live_<A>{24}", "wh" + "sec_<A>{32}",
	"np" + "m_<A>{36}", "py" + "pi-AgEIcHlwaS5vcmc<A>{80}", "ruby" + "gems_<x>{48}", "oy" + "2<l>{43}", "dckr" + "_pat_<A>{27}",
	"AK" + "Cp<A>{69}", "cm" + "VmdGtu<A>{56}",
	"hv" + "s.<A>{90}", "hv" + "b.<A>{120}", "<A>{14}.atlas" + "v1.<A>{67}", "pu" + "l-<x>{40}", "dp" + ".st.prd.<A>{43}", "op" +
		"s_eyJ<A>{120}",
	"gl" + "sa_<A>{32}_<x>{8}", "gl" + "c_<A>{80}=", "eyJ" + "rIjoi<A>{60}==",
	"NR" + "AK-<U>{27}", "<x>{36}NR" + "AL", "dt" + "0c01.<U>{24}.<U>{64}", "sntr" + "ys_<A>{120}", "da" + "pi<x>{32}", "do" + "p_v1_<x>{64}",
	"S" + "G.<A>{22}.<A>{43}", "ke" + "y-<x>{32}", "S" + "K<x>{32}", "<D>{10}:A" + "A<A>{33}", "shp" + "at_<x>{32}", "pscale" + "_tkn_<A>{43}",
	"PM" + "AK-<x>{24}-<x>{34}", "lin" + "_api_<A>{40}", "ts" + "key-auth-k<A>{10}CNTRL-<A>{32}", "CC" + "IPAT_<A>{22}_<x>{40}", "bk" +
		"ua_<x>{40}", "fm" + "2_<A>{100}",
	"tok" + "en-<l>{5}:<l>{54}", "HR" + "KU-<x>{8}-<x>{4}-<x>{4}-<x>{4}-<x>{12}", "fig" + "d_<A>{40}", "nt" + "n_<A>{46}", "pa" +
		"t<A>{14}.<x>{64}",
	"v1" + ".0-<x>{24}-<x>{146}",
	"sha" + "256~<A>{43}",
	"eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3Mi<A>{80}.<A>{86}", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..<A>{16}.<A>{40}.<A>{22}",
	"-----BEGIN RSA PRI" + "VATE KEY-----\n<A>{64}\n<A>{64}\n-----END RSA PRI" + "VATE KEY-----\n",
	"-----BEGIN PRI" + "VATE KEY-----\n<A>{64}\n-----END PRI" + "VATE KEY-----\n",
	"-----BEGIN OPENSSH PRI" + "VATE KEY-----\nb3BlbnNzaC1rZXkt<A>{48}\n-----END OPENSSH PRI" + "VATE KEY-----\n",
	"AGE-SECRET" + "-KEY-1<U>{58}",
	"Bearer <A>{40}", "bearer <x>{32}", "Bearer <l>{32}",
	"https://kiali:<A>{16}@grafana.example.com", "https://<A>{40}@git.example.com/platform/mesh.git", "http://proxy:<l>{12}@10.0.0.1:3128",
	"https://store.example.com/api?api_key=<A>{32}", "https://store.example.com/api?tenant=a&access_token=<A>{32}", "--token=<A>{32}",
	"--client-secret=<A>{20}", "AWS_SECRET_ACCESS_KEY=<A>{40}",
	"https://mesh.blob.core.windows.net/tempo?sv=2024-11-04&s" + "ig=<A>{43}", "https://store.example.com/api?k" + "ey=<A>{32}",
	"PGPASS" + "WORD=<A>{20}", "machine git.example.com login mesh pass" + "word <A>{16}",
	"apiVersion: v1\nkind: Config\nusers:\n- name: kiali\n  user:\n    token: <A>{40}\n",
}

// Credential is a credential, and the part of it that no message may repeat.
type Credential struct{ Text, Secret string }

// Credentials are at least 200: each form twice with different random parts,
// and once in base64.
func Credentials() []Credential {
	var all []Credential
	r := rand.New(rand.NewSource(1))
	for _, form := range forms {
		plain := fill(r, form)
		encoded := base64.StdEncoding.EncodeToString([]byte(fill(r, form).Text))
		all = append(all, plain, Credential{encoded, encoded})
	}
	for range 5 {
		pair := base64.StdEncoding.EncodeToString([]byte("kiali:" + fill(r, "<A>{16}").Text))
		all = append(all, Credential{"Basic " + pair, pair})
	}
	return all
}

// Passwords are credentials that only the name of their field gives away.
func Passwords() []Credential {
	r := rand.New(rand.NewSource(2))
	var all []Credential
	for _, form := range []string{"<l>{10}", "<A>{12}", "<A>{40}", "<D>{8}", "<x>{32}", "<l>{5}-<l>{5}-<l>{5}", "<A>{8}!<A>{8}",
		"<A>{20}/<A>{19}"} {
		all = append(all, fill(r, form))
	}
	return all
}

var hole = regexp.MustCompile(`<(\w)>\{(\d+)\}`)

func fill(r *rand.Rand, form string) Credential {
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	alphabets := map[string]string{"A": lower + upper + digits, "L": lower + upper, "l": lower + digits, "U": upper + digits, "D": digits,
		"x": digits + "abcdef", "X": digits + "ABCDEF"}
	var parts []string
	text := hole.ReplaceAllStringFunc(form, func(s string) string {
		m := hole.FindStringSubmatch(s)
		length, _ := strconv.Atoi(m[2])
		var b strings.Builder
		for range length {
			b.WriteByte(alphabets[m[1]][r.Intn(len(alphabets[m[1]]))])
		}
		parts = append(parts, b.String())
		return b.String()
	})
	longest := slices.MaxFunc(parts, func(a, b string) int { return len(a) - len(b) })
	return Credential{text, longest}
}
