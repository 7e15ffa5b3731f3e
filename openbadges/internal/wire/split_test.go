package wire

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzSplit holds the splitting of valid JSON to what encoding/json reads.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `{"a":1,"b":[1,{"c":"}]"}],"a":null}`, ` { "a" : "\"" , "é" : true , "x" : -1.5e3 } `, "[1 ,\n2,[ ],\"a,b\"]", `[1]`,
		`{"a\"b":{"c":[]},"d":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		switch KindOf(data) {
		case '{':
			var want map[string]json.RawMessage
			if err := json.Unmarshal(data, &want); err != nil {
				return // nested deeper than it reads
			}
			root, err := Open(data)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(root.members, want) {
				t.Fatalf("%q: got %q, want %q", data, root.members, want)
			}
		case '[':
			var want []json.RawMessage
			if json.Unmarshal(data, &want) != nil {
				return
			}
			if got := ListOf(data); len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: got %q, want %q", data, got, want)
			}
		}
	})
}
