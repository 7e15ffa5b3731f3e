package badges_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"testing"
	"time"

	"badgebridge/internal/pyvalidator"
	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
)

const (
	site  = "https://badges.example.org"
	ada   = "nobody@example.org"
	built = `{"@context":"https://w3id.org/openbadges/v2",`
)

// hosted is a badge of OB 2.0 with all that it links, as "badgebridge verify
// --resources" takes it.
func hosted(tb testing.TB) []byte {
	tb.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 64, 64))); err != nil {
		tb.Fatal(err)
	}
	document := func(text string) map[string]any {
		return map[string]any{"status": 200, "content_type": "application/ld+json", "body": built + text}
	}
	out, err := json.Marshal(map[string]any{
		site + "/a": document(`"type":"Assertion","id":"` + site + `/a","recipient":{"type":"email","hashed":true,"salt":"deadsea","identity":"` +
			openbadges.HashIdentity(ada, "deadsea") + `"},"badge":"` + site + `/b","issuedOn":"2020-01-01T00:00:00Z","verification":{"type":"HostedBadge"}}`),
		site + "/b": document(`"type":"BadgeClass","id":"` + site + `/b","name":"Golden Spanner","description":"For makers.","image":"` + site +
			`/i.png","criteria":{"narrative":"Build something."},"issuer":"` + site + `/o","tags":["making"]}`),
		site + "/o":     document(`"type":"Profile","id":"` + site + `/o","name":"Makers","url":"` + site + `","email":"makers@example.org"}`),
		site + "/i.png": map[string]any{"status": 200, "content_type": "image/png", "body_base64": picture.Bytes()},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// BenchmarkHosted verifies one hosted badge with all resources in memory and
// reports "x_python": what 1EdTech's validator takes for the same, in process and
// with HTTP replaced by the same memory, over what we take.
func BenchmarkHosted(b *testing.B) {
	resources := hosted(b)
	python, verdict, err := pyvalidator.Ensure(b).Time(b.Context(), site+"/a", ada, resources, 30)
	if err != nil {
		b.Fatal(err)
	}
	if !verdict.Valid {
		b.Fatal(verdict.Errors())
	}
	memory, err := verify.ReadResources(bytes.NewReader(resources))
	if err != nil {
		b.Fatal(err)
	}
	opt := verify.Options{Fetcher: memory, Recipient: []verify.Identifier{{Type: openbadges.IdentityEmail, Value: ada}}}
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if r := verify.Verify(b.Context(), verify.Input{URL: site + "/a"}, opt); !r.Valid {
			b.Fatal(r.Problems())
		}
		took = append(took, time.Since(start))
	}
	b.ReportMetric(float64(python)/float64(median(took)), "x_python")
}
