package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"gec/bench"
)

// Pair is the service and its floor, which answers with as many bytes, both running.
type Pair struct {
	Service, Floor *Process
	// HTTPRequests and GRPCRequests are asked of both.
	HTTPRequests, GRPCRequests [][]byte
	// Headers are sent to both with every request.
	Headers []Header
	// RequestBytes and AnswerBytes are those of HTTP bodies on average.
	RequestBytes, AnswerBytes int
}

// Node is how the service is run.
type Node struct {
	// Binary is the gec binary.
	Binary string
	// Arguments are given to its serve command besides those that every measurement needs.
	Arguments []string
	// Headers are what its callers send with every request.
	Headers []Header
	// Keys has callers show an access key, which a pair makes by the first start on its folder.
	Keys bool
}

// Start runs the service on a data folder and free ports of loopback.
func (n Node) Start(ctx context.Context, folder string, arguments ...string) (*Process, error) {
	all := []string{"serve", "--data", folder, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--log-requests=false"}
	return Start(ctx, n.Binary, slices.Concat(all, arguments, n.Arguments)...)
}

// StartPair starts the service on a data folder and its floor. All of the exam is asked once over both
// contracts, to see that the answers are right and how long they are. The floor keeps files in the scratch
// folder.
func StartPair(ctx context.Context, node Node, folder, scratch string, exam *bench.Exam) (*Pair, error) {
	p := &Pair{GRPCRequests: exam.Messages, Headers: node.Headers}
	for _, body := range exam.Bodies {
		p.HTTPRequests = append(p.HTTPRequests, HTTPRequest(exam.Path, body))
		p.RequestBytes += len(body) / len(exam.Bodies)
	}
	arguments, keyFile := []string{"--test-endpoints"}, folder+".key"
	if node.Keys {
		arguments = append(arguments, "--first-key-file="+keyFile)
	}
	var err error
	p.Service, err = node.Start(ctx, folder, arguments...)
	if err != nil {
		return nil, err
	}
	if node.Keys {
		key, err := os.ReadFile(keyFile)
		if err != nil {
			return nil, errors.Join(err, p.Stop())
		}
		p.Headers = append(slices.Clone(p.Headers), Header{"Ocp-Apim-Subscription-Key", strings.TrimSpace(string(key))})
	}
	httpAnswer, err := p.typicalAnswer(ctx, p.HTTP(p.Service), exam.Check)
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	grpcAnswer, err := p.typicalAnswer(ctx, p.GRPC(p.Service), exam.CheckMessage)
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	p.AnswerBytes = len(httpAnswer)
	if p.Floor, err = StartFloor(ctx, scratch, httpAnswer, grpcAnswer); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// typicalAnswer asks every request once and returns the answer whose length is nearest to the mean.
func (p *Pair) typicalAnswer(ctx context.Context, t *Target, check func(int, []byte) error) ([]byte, error) {
	var answers [][]byte
	sum := 0
	for i, request := range t.Requests {
		answer, err := t.Ask(ctx, request)
		if err == nil {
			err = check(i, answer)
		}
		if err != nil {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
		answers, sum = append(answers, answer), sum+len(answer)
	}
	mean := sum / len(answers)
	return slices.MinFunc(answers, func(a, b []byte) int { return distance(len(a), mean) - distance(len(b), mean) }), nil
}

func distance(a, b int) int { return max(a-b, b-a) }

// HTTP returns one of the pair as the target of HTTP requests, GRPC as that of gRPC calls.
func (p *Pair) HTTP(of *Process) *Target {
	return &Target{Address: of.HTTP, Requests: p.HTTPRequests, Headers: p.Headers}
}

// GRPC is described at [Pair.HTTP].
func (p *Pair) GRPC(of *Process) *Target {
	return &Target{Address: of.GRPC, GRPC: true, Requests: p.GRPCRequests, Headers: p.Headers}
}

// Stop ends both.
func (p *Pair) Stop() error {
	var err error
	for _, process := range []*Process{p.Service, p.Floor} {
		if process != nil {
			err = errors.Join(err, process.Stop())
		}
	}
	return err
}

// Peaks are the calls per second and the processor time for one call, of the service and of its floor, by round.
type Peaks struct{ Service, Floor Turns }

// Turns are what one server did, turn by turn.
type Turns struct {
	PerSecond []float64
	// Calls, and the processor time that the server and the client used for all of them.
	Calls                int64
	ServerCPU, ClientCPU time.Duration
}

// CPU returns the processor time of the server for one call.
func (t *Turns) CPU() time.Duration { return t.ServerCPU / time.Duration(max(t.Calls, 1)) }

// both returns that of the server and the client, in nanoseconds.
func (t *Turns) both() float64 {
	return float64(t.ServerCPU+t.ClientCPU) / float64(max(t.Calls, 1))
}

// Ratio returns the median of the rounds' ratios of the service's peak to the floor's.
func (p *Peaks) Ratio() float64 { return PairedRatio(p.Service.PerSecond, p.Floor.PerSecond) }

// CPURatio returns the same by processor time: what server and client use for a call of the floor to what they
// use for one of the service. At a peak, with both processors busy, it is the ratio of the peaks; where others
// use the machine, too, it stays what it is, and the ratio of the peaks does not.
func (p *Peaks) CPURatio() float64 { return p.Floor.both() / p.Service.both() }

// PairedRatio returns the median of the ratios of values that were measured beside each other.
func PairedRatio[T float64 | time.Duration](of, to []T) float64 {
	ratios := make([]float64, min(len(of), len(to)))
	for i := range ratios {
		ratios[i] = float64(of[i]) / float64(to[i])
	}
	return Median(ratios)
}

// MeanRatio returns the geometric mean of the same ratios. Where they scatter as those of latencies do, it tells more of
// as many rounds than their median.
func MeanRatio(of, to []time.Duration) float64 {
	sum, count := 0.0, min(len(of), len(to))
	for i := range count {
		sum += math.Log(float64(of[i]) / float64(to[i]))
	}
	return math.Exp(sum / float64(count))
}

// Median returns the middle of the values, the lower one of two.
func Median[T float64 | time.Duration](values []T) T {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// turns calls a function for the service and its floor, as many times as there are rounds, each of them first in
// every other round: what disturbs the machine for a while disturbs both, and neither always comes after the other.
func (p *Pair) turns(rounds int, do func(of *Process) error) error {
	for round := range rounds {
		order := []*Process{p.Floor, p.Service}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, process := range order {
			if err := do(process); err != nil {
				return err
			}
		}
	}
	return nil
}

// holding is [Target.hold] or [Target.holdEvents].
type holding func(t *Target, ctx context.Context, connections int) (release func(), err error)

// turnsOn does the same on connections that are kept from the first turn to the last.
func (p *Pair) turnsOn(ctx context.Context, kind func(*Process) *Target, hold holding, connections, rounds int, do func(of *Process, target *Target) error) error {
	targets := map[*Process]*Target{}
	for _, process := range []*Process{p.Floor, p.Service} {
		target := kind(process)
		release, err := hold(target, ctx, connections)
		if err != nil {
			return err
		}
		defer release()
		targets[process] = target
	}
	return p.turns(rounds, func(of *Process) error { return do(of, targets[of]) })
}

// MeasurePeaks measures both in turn, for a number of rounds. kind is Pair.HTTP or Pair.GRPC. Short turns and
// many of them are better than a few long ones: the two of a round then see the same machine.
func (p *Pair) MeasurePeaks(ctx context.Context, kind func(*Process) *Target, connections, rounds int, warmUp, measured time.Duration) (*Peaks, error) {
	var peaks Peaks
	err := p.turnsOn(ctx, kind, (*Target).hold, connections, rounds, func(of *Process, target *Target) error {
		turns := &peaks.Service
		if of == p.Floor {
			turns = &peaks.Floor
		}
		return turns.add(ctx, of, target, connections, warmUp, measured)
	})
	return &peaks, err
}

// add measures one more turn.
func (t *Turns) add(ctx context.Context, of *Process, target *Target, connections int, warmUp, measured time.Duration) error {
	// A run of its own warms up, so that processor time is that of the calls that are counted.
	if _, err := target.Peak(ctx, connections, 0, warmUp); err != nil {
		return err
	}
	serverBefore, err := of.ProcessorTime()
	if err != nil {
		return err
	}
	clientBefore := ownProcessorTime()
	run, err := target.Peak(ctx, connections, 0, measured)
	if err != nil {
		return err
	}
	client := ownProcessorTime() - clientBefore
	server, err := of.ProcessorTime()
	if err != nil {
		return err
	}
	t.PerSecond = append(t.PerSecond, run.PerSecond())
	t.Calls, t.ServerCPU, t.ClientCPU = t.Calls+run.Calls, t.ServerCPU+server-serverBefore, t.ClientCPU+client
	return nil
}
