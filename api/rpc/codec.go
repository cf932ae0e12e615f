package rpc

import (
	"sync"

	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"

	"gec/api/gecv1"
	"gec/api/journal"
)

// codec is the protobuf codec of grpc-go but for quotes, whose requests are read without copies and whose
// answers are ready bytes.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(grpcproto.Name)} }

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, into any) error {
	switch in := into.(type) {
	case *incoming:
		return in.read(data.MaterializeToBuffer(mem.DefaultBufferPool()))
	case *received:
		in.bytes = data.MaterializeToBuffer(mem.DefaultBufferPool())
		return nil
	}
	return c.CodecV2.Unmarshal(data, into)
}

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	out, ok := message.(*reply)
	if !ok {
		return c.CodecV2.Marshal(message)
	}
	return mem.BufferSlice{mem.NewBuffer(out.bytes, &replyBytes)}, nil
}

// incoming is a request for a quote and the bytes that it shares.
type incoming struct {
	decoder decoder
	bytes   mem.Buffer
	// message is valid until release.
	message *gecv1.QuoteRequest
}

// received is a request that is only read, to be decoded later.
type received struct{ bytes mem.Buffer }

// read takes a request, whose bytes it releases later, over in place of the one before. Errors: those of package proto.
func (in *incoming) read(bytes mem.Buffer) (err error) {
	in.release()
	in.bytes = bytes
	in.message, err = in.decoder.decode(in.bytes.ReadOnlyData())
	return err
}

// raw returns the bytes of the request, valid until release.
func (in *incoming) raw() []byte {
	if in.bytes == nil {
		return nil
	}
	return in.bytes.ReadOnlyData()
}

// release gives back the bytes of the request, which nothing may use any more.
func (in *incoming) release() {
	if in.bytes == nil {
		return
	}
	in.decoder.reset()
	in.bytes.Free()
	in.bytes, in.message = nil, nil
}

// reply is a gec.v1.QuoteResponse as its bytes, with what the log says of it. It is sent once.
type reply struct {
	bytes    *[]byte
	revision int64
	rows     int
	// seed, bundles and body are for the journal: the seed of chance, the ids of the first bundles, and the bytes
	// of the request, which last until its handler returns.
	seed    uint64
	bundles [journal.BundlesMax]string
	body    []byte
}

// GetRevision returns the revision that the answer was computed on, as that of a message does.
func (r *reply) GetRevision() int64 { return r.revision }

// replyBytes pools the bytes of answers; grpc-go gives them back once they are sent.
var replyBytes bufferPool

// bufferBytesKept is the size of the largest buffer that is kept for the next answer.
const bufferBytesKept = 1 << 20

// bufferPool is a mem.BufferPool of buffers that grow with what is put in them. Its zero value is usable.
type bufferPool struct{ pool sync.Pool }

var _ mem.BufferPool = (*bufferPool)(nil)

// Get implements mem.BufferPool.
func (p *bufferPool) Get(length int) *[]byte {
	buffer, ok := p.pool.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	if cap(*buffer) < length {
		*buffer = make([]byte, length)
	}
	*buffer = (*buffer)[:length]
	return buffer
}

// Put implements mem.BufferPool.
func (p *bufferPool) Put(buffer *[]byte) {
	if cap(*buffer) <= bufferBytesKept {
		p.pool.Put(buffer)
	}
}
