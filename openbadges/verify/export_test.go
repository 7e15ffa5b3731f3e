package verify

// ParseObject is the reader of JSON, for its fuzz test.
func ParseObject(data []byte) (map[string]any, error) { return parseObject(data) }
