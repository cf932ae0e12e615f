package engine

import "maps"

const shardCount = 256

// shards is a map that is cheap to change into another one: a derived map shares all shards but those
// that were written to. The zero shards is an empty map.
type shards[V any] struct {
	maps [shardCount]map[string]V
	len  int
}

func shardOf(key string) int {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return int(h>>16^h) % shardCount
}

func (s *shards[V]) get(key string) (V, bool) {
	v, ok := s.maps[shardOf(key)][key]
	return v, ok
}

// shardsEdit is a change of a map in the making. It owns the shards that it has written to.
type shardsEdit[V any] struct {
	*shards[V]
	owned [shardCount]bool
}

// edit starts a change; the original stays as it is.
func (s *shards[V]) edit() *shardsEdit[V] {
	derived := *s
	return &shardsEdit[V]{shards: &derived}
}

func (e *shardsEdit[V]) own(key string) map[string]V {
	i := shardOf(key)
	if !e.owned[i] {
		e.owned[i] = true
		if e.maps[i] == nil {
			e.maps[i] = map[string]V{}
		} else {
			e.maps[i] = maps.Clone(e.maps[i])
		}
	}
	return e.maps[i]
}

func (e *shardsEdit[V]) set(key string, value V) {
	m := e.own(key)
	before := len(m)
	m[key] = value
	e.len += len(m) - before
}
