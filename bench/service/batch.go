package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Batch asks a number of quotes on one stream of BatchQuote, all sent while answers come in, and returns how
// long it took. The requests are taken in turn. Errors: too few answers, too.
func (t *Target) Batch(ctx context.Context, quotes int) (time.Duration, error) {
	conn, err := grpc.NewClient(t.Address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := t.batch(ctx, conn, 1); err != nil { // connects
		return 0, err
	}
	return t.batch(ctx, conn, quotes)
}

// MeasureBatches measures batches of so many quotes on the service and on its floor in turn, per quote.
func (p *Pair) MeasureBatches(ctx context.Context, quotes, rounds int) (ofService, ofFloor []time.Duration, err error) {
	err = p.turns(rounds, func(of *Process) error {
		took, err := p.GRPC(of).Batch(ctx, quotes)
		if of == p.Floor {
			ofFloor = append(ofFloor, took/time.Duration(quotes))
		} else {
			ofService = append(ofService, took/time.Duration(quotes))
		}
		return err
	})
	return ofService, ofFloor, err
}

func (t *Target) batch(ctx context.Context, conn *grpc.ClientConn, quotes int) (time.Duration, error) {
	started := time.Now()
	for _, h := range t.Headers {
		ctx = metadata.AppendToOutgoingContext(ctx, h.Name, h.Value)
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, batchMethod)
	if err != nil {
		return 0, err
	}
	sent := make(chan error, 1)
	go func() {
		for i := range quotes {
			if err := stream.SendMsg(&raw{t.Requests[i%len(t.Requests)]}); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	answers := 0
	for ; err == nil; answers++ {
		err = stream.RecvMsg(&raw{})
	}
	took := time.Since(started)
	if !errors.Is(err, io.EOF) {
		return 0, err
	}
	if answers--; answers != quotes {
		return 0, fmt.Errorf("%d answers to %d quotes", answers, quotes)
	}
	return took, <-sent
}
