package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/api/rpc"
	"gec/engine"
)

// benchHistory has 513 bundles of 57 PSPs, as many as the published fee list.
func benchHistory(b *testing.B) *history {
	h := newHistory(b)
	c := engine.Change{}
	for i := range 513 {
		psp := fmt.Sprintf("ABI%05d", i%57)
		c.Put = append(c.Put, &engine.Bundle{
			ID: fmt.Sprintf("bundle-%05d", i), PSP: psp, Channel: psp + "_01", Broker: psp, ABI: psp[3:],
			PSPBusinessName: "Banca di prova numero " + psp, Name: "Pagamento con carta di credito",
			Description: "Il servizio che permette di pagare con carta tutti gli avvisi", Type: engine.Global,
			PaymentType: "CP", Touchpoint: engine.Any, Band: engine.Band{MaxCents: 200_000_00}, Cart: true,
			Fee: engine.Fee{FlatCents: 400 + int64(i)},
		})
	}
	h.add(b, noon, c)
	return h
}

// benchRequest asks for the ten cheapest rows.
func benchRequest() *gecv1.QuoteRequest {
	return &gecv1.QuoteRequest{Id: "bench", Payment: cardPayment(), Order: gecv1.Order_ORDER_FEE}
}

func benchOptions(b *testing.B) rpc.Options {
	return rpc.Options{Catalogue: benchHistory(b), Now: fixedNow}
}

// checkRows holds that a benchmark measures the answer that it means.
func checkRows(b *testing.B, out *gecv1.QuoteResponse, err error) {
	if err != nil || len(out.GetQuotes()) != engine.DefaultLimit {
		b.Fatalf("%d rows, %v", len(out.GetQuotes()), err)
	}
}

// BenchmarkQuoteMessage is a request message to an answer message, and to its bytes, without transport.
func BenchmarkQuoteMessage(b *testing.B) {
	server, in := rpc.NewQuoteServer(benchOptions(b)), benchRequest()
	b.Run("message", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, err := server.Quote(b.Context(), in)
			checkRows(b, out, err)
		}
	})
	request, err := proto.Marshal(in)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("bytes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := server.QuoteBytes(b.Context(), request, func([]byte) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkQuoteJSON is a body to an answer, without a socket.
func BenchmarkQuoteJSON(b *testing.B) {
	handler, body := rpc.JSON(benchOptions(b)), jsonOf(b, benchRequest())
	b.ReportAllocs()
	for b.Loop() {
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/gec/v1/quote", strings.NewReader(body)))
		if response.Code != http.StatusOK {
			b.Fatal(response.Body)
		}
	}
}

// benchConnection serves on loopback and returns a connection to it.
func benchConnection(b *testing.B, server *grpc.Server, options ...grpc.DialOption) *grpc.ClientConn {
	listener, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	connection, err := grpc.NewClient(listener.Addr().String(), options...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = connection.Close()
		server.Stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return connection
}

// BenchmarkQuoteGRPC is a quote over a loopback connection beside the floor, a server that answers ready
// bytes of the same sizes with the same client.
func BenchmarkQuoteGRPC(b *testing.B) {
	in := benchRequest()
	request, err := proto.Marshal(in)
	if err != nil {
		b.Fatal(err)
	}
	out, err := rpc.NewQuoteServer(benchOptions(b)).Quote(b.Context(), in)
	checkRows(b, out, err)
	answer, err := proto.Marshal(out)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("request %d bytes, answer %d bytes", len(request), len(answer))
	method := gecv1.QuoteService_Quote_FullMethodName
	for name, server := range map[string]*grpc.Server{"floor": echoServer(answer), "gec": rpc.New(benchOptions(b)).Server} {
		connection := benchConnection(b, server, grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(p *testing.PB) {
				var got []byte
				for p.Next() {
					if err := connection.Invoke(context.Background(), method, request, &got); err != nil || len(got) != len(answer) {
						b.Errorf("%d bytes, %v", len(got), err)
						return
					}
				}
			})
		})
	}
}

// echoServer answers every call with the same bytes.
func echoServer(answer []byte) *grpc.Server {
	handler := func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		return stream.SendMsg(answer)
	}
	return grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(handler),
		grpc.NumStreamWorkers(2))
}

// bytesCodec passes ready bytes under the name of the proto codec.
type bytesCodec struct{}

var _ encoding.Codec = bytesCodec{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) {
	if ready, ok := v.([]byte); ok {
		return ready, nil
	}
	return nil, errors.New("no bytes")
}

func (bytesCodec) Unmarshal(data []byte, v any) error {
	into, ok := v.(*[]byte)
	if !ok {
		return errors.New("no bytes")
	}
	*into = append((*into)[:0], data...)
	return nil
}

// BenchmarkBatchGRPC is one quote of a stream that is kept full.
func BenchmarkBatchGRPC(b *testing.B) {
	connection := benchConnection(b, rpc.New(benchOptions(b)).Server)
	stream, err := gecv1.NewQuoteServiceClient(connection).BatchQuote(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	sent := make(chan error, 1)
	go func() {
		in := benchRequest()
		for range b.N {
			if err := stream.Send(in); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for range b.N {
		out, err := stream.Recv()
		checkRows(b, out, err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
}
