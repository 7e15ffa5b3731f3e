package credly

import (
	"net/http"
	"slices"
	"strings"
)

// issueBatch issues several badges, or none: the error names by error_index
// which one is wrong.
func (s *Sim) issueBatch(c *call) reply {
	in, isList := c.body["badges"].([]any)
	switch {
	case !isList || len(in) == 0:
		return s.invalid(problems{{"badges", "Badges", []string{"can't be blank"}}})
	case s.opt.BatchCap > 0 && len(in) > s.opt.BatchCap:
		return s.invalid(problems{{"badges", "Badges", []string{"is too long"}}})
	}
	var plans []plan
	var wrong *reply
	at := 0
	for i, one := range in {
		fields, isObject := one.(map[string]any)
		if !isObject {
			return notRight()
		}
		if s.opt.BatchSharedDuplicateBehavior {
			delete(fields, "duplicate_behavior")
			if v := c.body["duplicate_behavior"]; v != nil {
				fields["duplicate_behavior"] = v
			}
		}
		single := *c
		single.body = fields
		p, deny := s.planIssue(&single, plans)
		if deny != nil {
			if wrong == nil {
				wrong, at = deny, i
			}
			continue
		}
		plans = append(plans, p)
	}
	if wrong != nil && !s.opt.BatchPartial {
		return indexed(*wrong, at)
	}
	data := make([]any, 0, len(plans))
	for _, p := range plans {
		data = append(data, s.badgeJSON(c, s.carryOut(p)))
	}
	if wrong != nil {
		return indexed(*wrong, at)
	}
	if s.opt.BatchReversed {
		slices.Reverse(data)
	}
	return ok(http.StatusCreated, data)
}

// indexed says which badge of a batch an error is about.
func indexed(r reply, at int) reply {
	data := r.body.(map[string]any)["data"].(map[string]any)
	data["error_index"] = at
	if m, _ := data["message"].(string); !strings.HasPrefix(m, "Validation failed") {
		data["message"] = "Validation failed: " + m
	}
	return r
}
