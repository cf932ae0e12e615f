package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"gec/api/rest"
)

// floorCommand is the first argument by which the program that measures, run once more, becomes a floor.
const floorCommand = "floor"

// IsFloor reports whether the arguments of the process, without its name, ask for a floor; then it has to call
// [ServeFloor] and nothing else.
func IsFloor(args []string) bool { return len(args) == 3 && args[0] == floorCommand }

// StartFloor runs this program once more as a floor: an HTTP server and a gRPC server that answer every
// request with the same ready bytes. The folder must outlive the process; the answers are written to it.
func StartFloor(ctx context.Context, folder string, httpAnswer, grpcAnswer []byte) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	httpFile, grpcFile := folder+"/floor.json", folder+"/floor.pb"
	for file, answer := range map[string][]byte{httpFile: httpAnswer, grpcFile: grpcAnswer} {
		if err := os.WriteFile(file, answer, 0o600); err != nil {
			return nil, err
		}
	}
	return Start(ctx, self, floorCommand, httpFile, grpcFile)
}

// ServeFloor is the floor itself, for the arguments that [IsFloor] knows. It returns when ctx is done.
//
// The HTTP floor is net/http with a handler that reads the body and writes the answer. The gRPC floor is
// grpc-go with a codec that passes bytes. Both have the bounds that the service has.
func ServeFloor(ctx context.Context, args []string) error {
	httpAnswer, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	grpcAnswer, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	var config net.ListenConfig
	httpListener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	grpcListener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1) // as the service has it
	httpServer, grpcServer := httpFloor(httpAnswer), grpcFloor(grpcAnswer)
	failed := make(chan error, 2)
	go func() { failed <- httpServer.Serve(httpListener) }()
	go func() { failed <- grpcServer.Serve(grpcListener) }()
	fmt.Printf("ready http=%s grpc=%s\n", httpListener.Addr(), grpcListener.Addr())
	select {
	case err = <-failed:
		return err
	case <-ctx.Done():
	}
	grpcServer.Stop()
	return httpServer.Close()
}

func httpFloor(answer []byte) *http.Server {
	length := []string{strconv.Itoa(len(answer))}
	contentType := []string{"application/json"}
	bodies := sync.Pool{New: func() any { return new([8 << 10]byte) }}
	handler := func(w http.ResponseWriter, r *http.Request) {
		body := bodies.Get().(*[8 << 10]byte)
		for {
			if _, err := r.Body.Read(body[:]); err != nil {
				break
			}
		}
		bodies.Put(body)
		header := w.Header()
		header["Content-Length"], header["Content-Type"] = length, contentType
		_, _ = w.Write(answer) // the caller may have gone
	}
	server := rest.Server("", http.HandlerFunc(handler), nil) // for its bounds on every wait
	server.ConnContext = nil
	return server
}

func grpcFloor(answer []byte) *grpc.Server {
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}), grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0))),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return echo(stream, answer) }),
	)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: quoteService,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Quote", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in raw
			if err := decode(&in); err != nil {
				return nil, err
			}
			return &raw{answer}, nil
		}}},
	}, nil)
	return server
}

// echo answers every message of a stream.
func echo(stream grpc.ServerStream, answer []byte) error {
	var in raw
	for {
		if err := stream.RecvMsg(&in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(&raw{answer}); err != nil {
			return err
		}
	}
}

// raw is a message as bytes.
type raw struct{ bytes []byte }

// rawCodec passes the bytes of messages on; what it reads it throws away.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

// Marshal implements encoding.CodecV2.
func (rawCodec) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(message.(*raw).bytes)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (rawCodec) Unmarshal(mem.BufferSlice, any) error { return nil }

// Name implements encoding.CodecV2.
func (rawCodec) Name() string { return "proto" }
