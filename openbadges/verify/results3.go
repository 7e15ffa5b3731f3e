package verify

import "fmt"

// results holds the results of a badge against the achievement that it is about
// (OB 3.0, section "Result"): a result's description must be one of the
// achievement's, and one of the type Status needs a status.
func (w *schema3) results(c *credential) {
	subject := object(c.doc["credentialSubject"])
	descriptions, levels := map[string]map[string]any{}, map[string]bool{}
	for _, e := range list(object(subject["achievement"])["resultDescription"]) {
		d, _ := e.(map[string]any)
		if id, _ := d["id"].(string); id != "" {
			descriptions[id] = d
		}
		for _, l := range list(d["rubricCriterionLevel"]) {
			if id, _ := object(l)["id"].(string); id != "" {
				levels[id] = true
			}
		}
	}
	for i, e := range list(subject["result"]) {
		r, _ := e.(map[string]any)
		path := fmt.Sprintf("credentialSubject.result[%d]", i)
		if name, _ := r["resultDescription"].(string); name != "" {
			d, there := descriptions[name]
			switch {
			case !there:
				w.fault("subject", c.id, "%s.resultDescription is none of the achievement's: %s", path, clip(name))
			case d["resultType"] == "Status" && r["status"] == nil:
				w.fault("subject", c.id, "%s.status is missing, which a result of the type Status needs", path)
			}
		}
		if level, _ := r["achievedLevel"].(string); level != "" && !levels[level] {
			w.rep.warn("subject", c.id, "%s.achievedLevel is no level that the achievement describes: %s", path, clip(level))
		}
	}
}
