package bake_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"badgebridge/openbadges/bake"
)

// BenchmarkPNG reports "x_copy": the time of baking over the time of copying the
// picture and making one checksum over the new chunk, both measured in this run.
// The design asks for no more than 2.
func BenchmarkPNG(b *testing.B) {
	for _, size := range []int{64, 256, 512} {
		image := picture(b, size)
		text := bytes.Repeat([]byte(`{"a":"0123456789"}`), 60)
		b.Run(map[int]string{64: "64px", 256: "256px", 512: "512px"}[size], func(b *testing.B) {
			b.SetBytes(int64(len(image)))
			var baking, floor time.Duration
			for b.Loop() {
				start := time.Now()
				sink = copyAndSum(image, text)
				middle := time.Now()
				out, err := bake.PNG(image, bake.OpenBadges, text)
				end := time.Now()
				if err != nil {
					b.Fatal(err)
				}
				sink = out
				floor += middle.Sub(start)
				baking += end.Sub(middle)
			}
			b.ReportMetric(float64(baking)/float64(floor), "x_copy")
		})
	}
}

var sink []byte

// copyAndSum is the least that baking can cost.
func copyAndSum(image, text []byte) []byte {
	out := make([]byte, 0, len(image)+len(text)+27)
	out = append(out, image[:33]...)
	out = append(out, "lenniTXtopenbadges\x00\x00\x00\x00\x00"...)
	out = append(out, text...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[37:]))
	return append(out, image[33:]...)
}
