package web

import (
	"bytes"
	"html"
	"html/template"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown renders what people write, and what others' badges bring: CommonMark
// with bare links. Raw HTML is shown as nothing, pictures are left out (a
// stranger's picture would tell the stranger who looks), headings go below the
// page's own, and what comes out passes a list of what is allowed.
type markdown struct {
	md     goldmark.Markdown
	policy *bluemonday.Policy
}

// maxMarkdown bounds what is rendered, in bytes.
const maxMarkdown = 20_000

func newMarkdown() *markdown {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "hr")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,6}$`)).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return &markdown{
		md: goldmark.New(goldmark.WithExtensions(extension.Linkify),
			goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(belowPage{}, 100)))),
		policy: p,
	}
}

// belowPage moves headings below the page's own and takes pictures out.
type belowPage struct{}

// Transform implements parser.ASTTransformer.
func (belowPage) Transform(doc *ast.Document, _ gmtext.Reader, _ parser.Context) {
	var pictures []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			switch v := n.(type) {
			case *ast.Heading:
				v.Level = min(v.Level+2, 6)
			case *ast.Image:
				pictures = append(pictures, v)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range pictures {
		n.Parent().RemoveChild(n.Parent(), n)
	}
}

// html renders text; "" stays "".
func (m *markdown) html(text string) template.HTML {
	if len(text) > maxMarkdown {
		text = text[:maxMarkdown]
	}
	var b bytes.Buffer
	if m.md.Convert([]byte(text), &b) != nil {
		return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
	}
	return template.HTML(m.policy.SanitizeBytes(b.Bytes())) //nolint:gosec // the policy's output
}

// plain is text without its marks, on one line, for descriptions and cards.
func (m *markdown) plain(text string) string {
	var b bytes.Buffer
	if len(text) > maxMarkdown || m.md.Convert([]byte(text), &b) != nil {
		return text[:min(len(text), 300)]
	}
	return strings.Join(strings.Fields(html.UnescapeString(string(bluemonday.StrictPolicy().SanitizeBytes(b.Bytes())))), " ")
}
