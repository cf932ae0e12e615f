package badger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"gec/bundles"
)

// The first byte of a key says what it is of; see the package comment.
const (
	spaceRow     = 'r'
	spaceChanges = 'c'
	spaceRecord  = 'h'
	spaceKey     = 'k'
	spaceMeta    = 'm'
	spaceBase    = 'b'
	// spaceBaseRecord has records of revisions that the folder otherwise knows nothing of.
	spaceBaseRecord = 'o'
)

const (
	headKey   = "mhead"
	formatKey = "mformat"
)

const revisionBytes = 8

// idPrefix is the beginning of the keys of all rows of a kind whose id has the prefix.
func idPrefix(kind bundles.Kind, prefix string) []byte {
	key := make([]byte, 0, 2+len(prefix)+1+revisionBytes)
	return append(append(key, spaceRow, byte(kind)), prefix...)
}

// thingPrefix is the beginning of the keys of all rows of one thing.
func thingPrefix(kind bundles.Kind, id string) []byte { return append(idPrefix(kind, id), 0) }

func rowKey(kind bundles.Kind, id string, revision int64) []byte {
	return binary.BigEndian.AppendUint64(thingPrefix(kind, id), ^uint64(revision))
}

// kindOf returns the kind of the key of a row.
func kindOf(key []byte) bundles.Kind { return bundles.Kind(key[1]) }

// splitRowKey returns the id as bytes of the key, and the revision. Keys of this space are only ever
// made by rowKey.
func splitRowKey(key []byte) (id []byte, revision int64) {
	end := len(key) - revisionBytes
	return key[2 : end-1], int64(^binary.BigEndian.Uint64(key[end:]))
}

// changesFrom is the beginning of the index entries of a revision.
func changesFrom(revision int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceChanges}, uint64(revision))
}

func changeKey(revision int64, kind bundles.Kind, id string) []byte {
	return append(append(changesFrom(revision), byte(kind)), id...)
}

func splitChangeKey(key []byte) (revision int64, kind bundles.Kind, id string) {
	const kindAt = 1 + revisionBytes
	return int64(binary.BigEndian.Uint64(key[1:kindAt])), bundles.Kind(key[kindAt]), string(key[kindAt+1:])
}

func recordKey(revision int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceRecord}, uint64(revision))
}

func baseKey(revision int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceBase}, uint64(revision))
}

func baseRecordKey(revision int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceBaseRecord}, uint64(revision))
}

func idempotencyKey(key string) []byte { return append([]byte{spaceKey}, key...) }

// metaDeleted is the meta byte of the entry of a deleted row.
const metaDeleted = 1

const sealBytes = 4

// seal returns the value to store: a checksum of the key, the meta byte and the content, and the content.
func seal(key []byte, meta byte, content []byte) []byte {
	value := make([]byte, sealBytes, sealBytes+len(content))
	binary.BigEndian.PutUint32(value, checksum(key, meta, content))
	return append(value, content...)
}

var errSeal = errors.New("its checksum is wrong")

// unseal returns the content of a stored value, as a part of it.
func unseal(key []byte, meta byte, value []byte) ([]byte, error) {
	if len(value) < sealBytes || binary.BigEndian.Uint32(value) != checksum(key, meta, value[sealBytes:]) {
		return nil, errSeal
	}
	return value[sealBytes:], nil
}

func checksum(key []byte, meta byte, content []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, key)
	sum = crc32.Update(sum, table, []byte{meta})
	return crc32.Update(sum, table, content)
}

// encodeHead writes the content of the head: the revision and the SHA-256 of its record.
func encodeHead(r bundles.Record) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(r.Revision)), r.SHA256[:]...)
}

// sameThing reports whether the key of a row is of the thing with that prefix.
func sameThing(key, thing []byte) bool {
	return len(key) == len(thing)+revisionBytes && bytes.HasPrefix(key, thing)
}
