package etcd

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gec/bundles"
)

// TestLayoutStays holds what is in etcd to the bytes of the first release: nodes of several releases share it.
func TestLayoutStays(t *testing.T) {
	r := bundles.Record{Revision: 1, At: time.Unix(1_700_000_000, 5).UTC(), Caller: "c", Operation: "o", Rows: 2, SHA256: [32]byte{31: 9}}
	rows := []bundles.Row{{Kind: 'b', ID: "a", Document: []byte("xyz")}, {Kind: 's', ID: "z", Deleted: true}}
	chunks, size := encodeRows(rows)
	e := entry{Record: r, attempt: "0123456789abcdef", chunks: len(chunks), bytes: size}
	for name, c := range map[string]struct{ got, want string }{
		"head": {head{1, r.SHA256}.encode(), "0000000000000001" + "0000000000000000000000000000000000000000000000000000000000000009"},
		"rows": {chunks[0], "6200016103" + "78797a" + "7301017a00"},
		"record": {e.encode(), hex.EncodeToString([]byte("0123456789abcdef")) + "00000001" + "000000000000000d" +
			"0000000000000001" + "000000006553f100" + "0000000000000005" + "0000000000000002" +
			"0000000000000000000000000000000000000000000000000000000000000009" + "0163" + "00" + "016f" + "00"},
	} {
		if got := hex.EncodeToString([]byte(c.got)); got != c.want {
			t.Errorf("%s is\n%s, want\n%s", name, got, c.want)
		}
	}
}

func TestRowsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []bundles.Row
		for i := range rapid.IntRange(0, 6).Draw(t, "rows") {
			row := bundles.Row{Kind: bundles.Kind('a' + i%3), ID: rapid.String().Draw(t, "id"), Revision: 7, Deleted: rapid.Bool().Draw(t, "deleted")}
			row.Document = make([]byte, rapid.SampledFrom([]int{0, 1, 1000, chunkBytesMax - 3, chunkBytesMax + 1}).Draw(t, "size"))
			rows = append(rows, row)
		}
		chunks, size := encodeRows(rows)
		var all []byte
		for _, chunk := range chunks {
			if len(chunk) > chunkBytesMax {
				t.Fatalf("a chunk has %d bytes", len(chunk))
			}
			all = append(all, chunk...)
		}
		if int64(len(all)) != size {
			t.Fatalf("%d bytes in chunks, %d were told", len(all), size)
		}
		got, err := decodeRows(all, 7, len(rows))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range rows {
			if g := got[i]; g.Kind != want.Kind || g.ID != want.ID || g.Revision != want.Revision || g.Deleted != want.Deleted || !bytes.Equal(g.Document, want.Document) {
				t.Fatalf("row %d comes back otherwise", i)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("b\x00\x01a\x03xyz"), 1)
	f.Add([]byte("0123456789abcdef\x00\x00\x00\x01"), 0)
	f.Fuzz(func(t *testing.T, b []byte, count int) {
		if rows, err := decodeRows(b, 1, count); err == nil && len(rows) != count {
			t.Errorf("%d rows, want %d", len(rows), count)
		}
		if e, err := decodeEntry(b); err == nil {
			if again, err := decodeEntry([]byte(e.encode())); err != nil || again != e {
				t.Errorf("a record comes back as %+v, %v, it was %+v", again, err, e)
			}
		}
		if h, err := decodeHead(b); err == nil && h.encode() != string(b) {
			t.Errorf("a head comes back as %x, it was %x", h.encode(), b)
		}
	})
}
