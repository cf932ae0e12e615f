package engine

import "maps"

const shardCount = 256

// shards is a map that is cheap to change into another one: a derived map shares all shards but those
// that were written to. Callers say which of the 256 shards a key is in. The zero shards is an empty map.
type shards[K comparable, V any] struct {
	maps [shardCount]map[K]V
}

// hashOf returns the hash of a text (FNV-1a).
func hashOf(key string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return h
}

// shardOf returns the shard of a hash.
func shardOf(hash uint64) uint8 { return uint8(hash>>32 ^ hash) }

func (s *shards[K, V]) get(shard uint8, key K) (V, bool) {
	v, ok := s.maps[shard][key]
	return v, ok
}

// shardsEdit is a change of a map in the making. It owns the shards that it has written to.
type shardsEdit[K comparable, V any] struct {
	*shards[K, V]
	owned [shardCount]bool
}

// edit starts a change; the original stays as it is.
func (s *shards[K, V]) edit() shardsEdit[K, V] {
	derived := *s
	return derived.editInPlace()
}

// editInPlace starts a change of a map that is nobody else's, but whose shards may be.
func (s *shards[K, V]) editInPlace() shardsEdit[K, V] { return shardsEdit[K, V]{shards: s} }

func (e *shardsEdit[K, V]) own(shard uint8) map[K]V {
	if !e.owned[shard] {
		e.owned[shard] = true
		if e.maps[shard] == nil {
			e.maps[shard] = map[K]V{}
		} else {
			e.maps[shard] = maps.Clone(e.maps[shard])
		}
	}
	return e.maps[shard]
}

func (e *shardsEdit[K, V]) set(shard uint8, key K, value V) { e.own(shard)[key] = value }

func (e *shardsEdit[K, V]) remove(shard uint8, key K) {
	if _, there := e.get(shard, key); there {
		delete(e.own(shard), key)
	}
}
