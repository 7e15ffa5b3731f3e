package jsonld

import (
	"fmt"
	"strings"
)

// checkDocument looks through a document before it is expanded, for what
// json-gold would swallow and for what could take it too long. own counts contexts
// written out, and keys that are no terms.
func (p *Processor) checkDocument(doc map[string]any) (own int, err error) {
	c := checker{lim: p.limits}
	err = c.value(doc, 1)
	return c.inline + c.odd, err
}

type checker struct {
	lim    Limits
	values int
	inline int // contexts written out
	odd    int // keys that are IRIs or keywords
}

func (c *checker) count(depth int) error {
	if c.values++; c.values > c.lim.MaxValues {
		return fmt.Errorf("%w: too many values", ErrLimit)
	}
	if depth > c.lim.MaxDepth {
		return fmt.Errorf("%w: nested too deep", ErrLimit)
	}
	return nil
}

func (c *checker) value(v any, depth int) error {
	if err := c.count(depth); err != nil {
		return err
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := c.value(e, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, e := range v {
			if key == "@context" {
				if err := c.context(e, depth+1); err != nil {
					return err
				}
				continue
			}
			if strings.ContainsAny(key, "@:") {
				c.odd++
			}
			if err := checkKey(key, v); err != nil {
				return err
			}
			if err := c.value(e, depth+1); err != nil {
				return err
			}
		}
	case nil, bool, float64, string:
	default:
		return fmt.Errorf("%w: a %T in the document", ErrInvalid, v)
	}
	return nil
}

// checkKey refuses keywords that are swallowed, in whole or when something in
// them fails, and those that mean nothing.
func checkKey(key string, in map[string]any) error {
	switch key {
	case "@id", "@type", "@none":
	case "@value":
		if in[key] == nil {
			return fmt.Errorf("%w: an @value that is null", ErrUnsafe)
		}
	case "@language", "@direction":
		if len(in) == 1 {
			return fmt.Errorf("%w: %s without a value", ErrUnsafe, key)
		}
	case "@graph":
		items, ok := in[key].([]any)
		if !ok {
			items = []any{in[key]}
		}
		for _, item := range items {
			m, ok := item.(map[string]any)
			_, isValue := m["@value"]
			if !ok || len(m) < 2 || isValue {
				return fmt.Errorf("%w: an @graph holds something that states nothing", ErrUnsafe)
			}
		}
	default:
		if strings.HasPrefix(key, "@") {
			return fmt.Errorf("%w: %.40s in a document", ErrUnsupported, key)
		}
	}
	return nil
}

// context checks a local context: a URL, an object, or a list of these.
func (c *checker) context(v any, depth int) error {
	if err := c.count(depth); err != nil {
		return err
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := c.context(e, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		// Each context copies all terms of those around it.
		if c.inline++; c.inline > c.lim.MaxInline {
			return fmt.Errorf("%w: too many contexts", ErrLimit)
		}
		for term, def := range v {
			if err := c.term(term, def, depth+1); err != nil {
				return err
			}
		}
	case nil, string:
	default:
		return fmt.Errorf("%w: a context is neither an object nor an address", ErrInvalid)
	}
	return nil
}

// term checks a term's definition, or a keyword of a context.
func (c *checker) term(term string, def any, depth int) error {
	if err := c.count(depth); err != nil {
		return err
	}
	switch term {
	case "@import", "@nest", "@included":
		return fmt.Errorf("%w: %s in a context", ErrUnsupported, term)
	case "@context":
		return c.context(def, depth)
	}
	switch def := def.(type) {
	case string:
		return checkAlias(term, def)
	case map[string]any:
		for key, v := range def {
			if err := c.count(depth); err != nil {
				return err
			}
			var err error
			switch s, isString := v.(string); {
			case key == "@context":
				err = c.context(v, depth+1)
			case key == "@nest" || key == "@reverse" && isString && strings.HasPrefix(s, "@"):
				err = fmt.Errorf("%w: %s in a context", ErrUnsupported, key)
			case key == "@id" && isString:
				err = checkAlias(term, s)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAlias lets a term stand for those keywords only that checkKey lets
// through wherever they are, and for nothing that could be put together to one.
func checkAlias(term, means string) error {
	if !strings.HasPrefix(means, "@") {
		return nil
	}
	switch means {
	case "@id", "@type", "@value", "@language", "@direction", "@none":
		return nil
	}
	return fmt.Errorf("%w: %.40q stands for %.40q", ErrUnsupported, term, means)
}
