package verify

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// extensions checks the extensions of a document: objects of type Extension,
// whose context names JSON schemas for the types that it defines (section
// "Extension").
func (s *session) extensions(node string, doc map[string]any) {
	names := make([]string, 0, len(doc))
	for name := range doc {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, e := range list(doc[name]) {
			if ext, ok := e.(map[string]any); ok && slices.Contains(typesOf(ext), "Extension") {
				s.extension(node, name, ext)
			}
		}
	}
}

func (s *session) extension(node, name string, ext map[string]any) {
	checked := false
	for _, c := range list(ext["@context"]) {
		url, ok := c.(string)
		if !ok || isContext2(url) {
			continue
		}
		ctx, _, ok := s.extensionDocument(node, url, "extension", "context of an extension")
		if !ok {
			return
		}
		for _, v := range list(either(ctx, "validation")) {
			m := object(v)
			validates, _ := single(either(m, "validatesType")).(string)
			schemaURL, _ := single(either(m, "validationSchema")).(string)
			if !slices.ContainsFunc(typesOf(ext), func(t string) bool { return extensionName(t) == extensionName(validates) }) {
				continue
			}
			schema, _, ok := s.extensionDocument(node, schemaURL, "extension", "schema of an extension")
			if !ok {
				return
			}
			checked = true
			v := schemaCheck{root: schema}
			if why := v.check(schema, ext, 0); why != "" {
				s.rep.fail("extension", node, "%s: %s", clip(name), clip(why))
				return
			}
			if v.unsure != "" {
				s.rep.undecided("extension", node, "%s: its schema uses %s, which is not supported", clip(name), v.unsure)
				return
			}
		}
	}
	if checked {
		s.rep.pass("extension", node, "%s is as its schema says", clip(name))
	} else {
		s.rep.warn("extension", node, "%s: its context names no schema", clip(name))
	}
}

// either reads a member under its short and its prefixed name.
func either(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	return m["obi:"+name]
}

func extensionName(t string) string {
	t = strings.TrimPrefix(t, "https://w3id.org/openbadges/extensions#")
	return strings.TrimPrefix(t, "extensions:")
}

// extensionDocument fetches a context or a schema that a document names, and
// reports under name when that fails.
func (s *session) extensionDocument(node, url, name, what string) (map[string]any, []byte, bool) {
	if err := checkWebURL(url); err != nil {
		s.rep.fail(name, node, "the %s can't be fetched: %v", what, err)
		return nil, nil, false
	}
	res, err := s.get(url, "application/ld+json, application/json", s.opt.MaxDocument)
	switch {
	case err != nil:
		s.rep.undecided(name, node, "the %s at %s could not be fetched: %v", what, clip(url), err)
		return nil, nil, false
	case res.Status != 200:
		s.rep.undecided(name, node, "the %s at %s could not be fetched: HTTP %d", what, clip(url), res.Status)
		return nil, nil, false
	}
	doc, err := parseObject(res.Body)
	if err != nil {
		s.rep.fail(name, node, "the %s at %s can't be read: %v", what, clip(url), err)
		return nil, nil, false
	}
	return doc, res.Body, true
}

// schemaCheck knows the part of JSON Schema (draft 4) that extension schemas
// use. Whatever else a schema says is noted in unsure instead of being ignored.
type schemaCheck struct {
	root   map[string]any
	within map[string]any // the schema whose keywords are checked
	unsure string
	steps  int
}

const maxSchemaSteps = 10_000

// check says what is wrong with v, "" when nothing is.
func (c *schemaCheck) check(schema map[string]any, v any, depth int) string {
	if c.steps++; c.steps > maxSchemaSteps || depth > maxDepth {
		c.unsure = "too many steps"
		return ""
	}
	keys := make([]string, 0, len(schema))
	for k := range schema {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	outer := c.within
	defer func() { c.within = outer }()
	for _, k := range keys {
		c.within = schema
		if why := c.keyword(k, schema[k], v, depth); why != "" {
			return why
		}
	}
	return ""
}

func (c *schemaCheck) keyword(key string, arg, v any, depth int) string {
	obj, isObject := v.(map[string]any)
	text, isText := v.(string)
	switch key {
	case "$schema", "id", "$id", "title", "description", "definitions", "$defs", "default", "format", "examples", "@context", "$comment", "readOnly", "writeOnly", "deprecated":
	case "type":
		if !slices.ContainsFunc(list(arg), func(t any) bool { return isJSONType(t, v) }) {
			return fmt.Sprintf("is not of type %v", arg)
		}
	case "required":
		for _, name := range list(arg) {
			if n, ok := name.(string); ok && isObject {
				if _, there := obj[n]; !there {
					return n + " is missing"
				}
			}
		}
	case "properties":
		props := object(arg)
		for name, sub := range props {
			value, there := obj[name]
			subSchema, ok := sub.(map[string]any)
			if !there || !ok {
				continue
			}
			if why := c.check(subSchema, value, depth+1); why != "" {
				return name + ": " + why
			}
		}
	case "items":
		entries, isList := v.([]any)
		sub, ok := arg.(map[string]any)
		if !ok {
			c.unsure = "a list of item schemas"
		}
		for _, e := range entries {
			if why := c.check(sub, e, depth+1); isList && why != "" {
				return why
			}
		}
	case "enum":
		if !slices.ContainsFunc(list(arg), func(e any) bool { return sameJSON(e, v) }) {
			return "is none of the allowed values"
		}
	case "pattern":
		re, err := regexp.Compile(fmt.Sprint(arg))
		if err != nil {
			c.unsure = "an unknown pattern"
		} else if isText && !re.MatchString(text) {
			return "does not match the pattern"
		}
	case "minLength", "maxLength", "minimum", "maximum":
		return c.bound(key, arg, v)
	case "allOf", "anyOf", "oneOf":
		return c.several(key, list(arg), v, depth)
	case "$ref":
		place, name, _ := strings.Cut(strings.TrimPrefix(fmt.Sprint(arg), "#/"), "/")
		sub := object(object(c.root[place])[name])
		if place != "definitions" && place != "$defs" || sub == nil {
			c.unsure = "a reference"
			return ""
		}
		return c.check(sub, v, depth+1)
	default:
		return c.further(key, arg, v, depth)
	}
	return ""
}

func (c *schemaCheck) several(key string, subs []any, v any, depth int) string {
	good, first := 0, ""
	for _, sub := range subs {
		m, _ := sub.(map[string]any)
		why := c.check(m, v, depth+1)
		if why == "" {
			good++
		} else if first == "" {
			first = why
		}
	}
	switch {
	case key == "allOf" && good < len(subs), key == "anyOf" && good == 0:
		return first
	case key == "oneOf" && good != 1:
		return fmt.Sprintf("fits %d of the alternatives", good)
	}
	return ""
}

func (c *schemaCheck) bound(key string, arg, v any) string {
	limit, err := toFloat(arg)
	if err != nil {
		c.unsure = key
		return ""
	}
	var have float64
	switch x := v.(type) {
	case string:
		if !strings.HasSuffix(key, "Length") {
			return ""
		}
		have = float64(utf8.RuneCountInString(x))
	case json.Number:
		if strings.HasSuffix(key, "Length") {
			return ""
		}
		if have, err = x.Float64(); err != nil {
			return "is no number"
		}
	default:
		return ""
	}
	if strings.HasPrefix(key, "min") && have < limit || strings.HasPrefix(key, "max") && have > limit {
		return "is out of bounds"
	}
	return ""
}

func toFloat(v any) (float64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("no number")
	}
	return n.Float64()
}

func isJSONType(t, v any) bool {
	switch x := v.(type) {
	case nil:
		return t == "null"
	case string:
		return t == "string"
	case bool:
		return t == "boolean"
	case []any:
		return t == "array"
	case map[string]any:
		return t == "object"
	case json.Number:
		return t == "number" || t == "integer" && !strings.ContainsAny(x.String(), ".eE")
	}
	return false
}
