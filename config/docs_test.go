package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// docs is the page that says what each setting means.
const docs = "../docs/configuration.md"

func TestEverySettingAndVariableIsDocumented(t *testing.T) {
	page, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	var walk func(at string, typ reflect.Type)
	walk = func(at string, typ reflect.Type) {
		for name, ft := range fieldsOf(typ) {
			switch {
			case ft == reflect.TypeFor[SMTP]():
				walk(at+name+".", ft)
			case ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct:
				walk(at+name+"[].", ft.Elem())
			default:
				want = append(want, at+name)
			}
		}
	}
	walk("", reflect.TypeFor[Config]())
	for name := range variables() {
		want = append(want, name)
	}
	for _, name := range want {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("%s says nothing of `%s`", docs, name)
		}
	}
}
