package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// further are the keywords of JSON Schema that few extensions use.
func (c *schemaCheck) further(key string, arg, v any, depth int) string {
	entries, isList := v.([]any)
	switch key {
	case "additionalProperties":
		return c.additional(arg, v, depth)
	case "minItems", "maxItems":
		limit, err := toFloat(arg)
		if err != nil {
			c.unsure = key
		} else if n := float64(len(entries)); isList && (key == "minItems" && n < limit || key == "maxItems" && n > limit) {
			return fmt.Sprintf("has %d entries", len(entries))
		}
	case "uniqueItems":
		for i, e := range entries {
			if arg == true && slices.ContainsFunc(entries[:i], func(o any) bool { return sameJSON(o, e) }) {
				return "has an entry twice"
			}
		}
	case "contains":
		sub, ok := arg.(map[string]any)
		if !ok {
			c.unsure = key
		} else if isList && !slices.ContainsFunc(entries, func(e any) bool { return c.check(sub, e, depth+1) == "" }) {
			return "has no entry of the kind that has to be there"
		}
	case "const":
		if !sameJSON(arg, v) {
			return "is not the one allowed value"
		}
	case "not":
		if sub, ok := arg.(map[string]any); !ok {
			c.unsure = key
		} else if c.check(sub, v, depth+1) == "" && c.unsure == "" {
			return "is what it must not be"
		}
	case "exclusiveMinimum", "exclusiveMaximum":
		limit, err := toFloat(arg) // in draft 4 this was true or false
		n, ok := v.(json.Number)
		if err != nil {
			c.unsure = key
			break
		}
		if have, err := n.Float64(); ok && err == nil && (key == "exclusiveMinimum" && have <= limit || key == "exclusiveMaximum" && have >= limit) {
			return "is out of bounds"
		}
	default:
		c.unsure = clip(key)
	}
	return ""
}

// additional checks the members that no other keyword of the schema names. The
// rest of the schema is c's innermost.
func (c *schemaCheck) additional(arg, v any, depth int) string {
	obj, ok := v.(map[string]any)
	if !ok || arg == true {
		return ""
	}
	sub, isSchema := arg.(map[string]any)
	if !isSchema && arg != false || c.within["patternProperties"] != nil {
		c.unsure = "additionalProperties"
		return ""
	}
	named := object(c.within["properties"])
	for name, e := range obj {
		if _, there := named[name]; there {
			continue
		}
		if !isSchema {
			return clip(name) + " is not allowed"
		}
		if why := c.check(sub, e, depth+1); why != "" {
			return strings.Join([]string{clip(name), why}, ": ")
		}
	}
	return ""
}
