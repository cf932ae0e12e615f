package service

import (
	"bytes"
	"context"
	"math"
	"net"
	"strings"
	"testing"
	"time"
)

// floors starts both floors in this process.
func floors(t *testing.T, answer []byte) (http, grpc *Target) {
	t.Helper()
	var addresses []string
	var listeners []net.Listener
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners, addresses = append(listeners, l), append(addresses, l.Addr().String())
	}
	httpServer, grpcServer := httpFloor(answer), grpcFloor(answer)
	go httpServer.Serve(listeners[0])
	go grpcServer.Serve(listeners[1])
	t.Cleanup(func() {
		httpServer.Close()
		grpcServer.Stop()
	})
	return &Target{Address: addresses[0], Requests: [][]byte{HTTPRequest("/fees/multi", []byte(`{"paymentNotice":[]}`))}},
		&Target{Address: addresses[1], GRPC: true, Requests: [][]byte{[]byte("a request")}}
}

func TestClientsReadWholeAnswers(t *testing.T) {
	for _, size := range []int{0, 1, 5_800, 70_000, 300_000} {
		answer := bytes.Repeat([]byte("x"), size)
		http, grpc := floors(t, answer)
		for name, target := range map[string]*Target{"http": http, "grpc": grpc} {
			target.Headers = []Header{{"X-Short", "1"}, {"X-Long", strings.Repeat("k", 200)}}
			got, err := target.Ask(t.Context(), target.Requests[0])
			if err != nil || !bytes.Equal(got, answer) {
				t.Errorf("%s: %d bytes instead of %d, %v", name, len(got), size, err)
			}
		}
	}
}

func TestLoopsCountEveryCall(t *testing.T) {
	http, grpc := floors(t, bytes.Repeat([]byte("x"), 5_800))
	for name, target := range map[string]*Target{"http": http, "grpc": grpc} {
		run, err := target.Peak(t.Context(), 4, 10*time.Millisecond, 50*time.Millisecond)
		if err != nil || run.Calls == 0 || run.Calls != run.Latency.Count() {
			t.Errorf("%s, closed loop: %+v, %v", name, run.Calls, err)
		}
		// 4 connections, each due every 4 ms: 10 calls each in 40 ms.
		run, err = target.Steady(t.Context(), 4, 1000, 0, 40*time.Millisecond)
		if err != nil || run.Calls != 40 {
			t.Errorf("%s, open loop: %d calls, %v", name, run.Calls, err)
		}
	}
}

func TestLoopsFailOnRefusals(t *testing.T) {
	http, grpc := floors(t, nil)
	http.Requests = [][]byte{[]byte("GET / HTTP/9.9\r\n\r\n")}
	grpc.Requests = [][]byte{make([]byte, 5<<20)} // above the limit of a message
	for name, target := range map[string]*Target{"http": http, "grpc": grpc} {
		if _, err := target.Peak(t.Context(), 1, 0, time.Second); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := target.Steady(t.Context(), 2, 100, 0, time.Second); err == nil {
			t.Errorf("%s, open loop: no error", name)
		}
	}
}

func TestOpenLoopsKeepTheirConnections(t *testing.T) {
	http, grpc := floors(t, bytes.Repeat([]byte("x"), 70_000))
	for name, target := range map[string]*Target{"http": http, "grpc": grpc} {
		release, err := target.holdEvents(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			run, err := target.Steady(t.Context(), 3, 3000, 10*time.Millisecond, 20*time.Millisecond)
			if err != nil || run.Calls != 60 || run.Calls != run.Latency.Count() {
				t.Errorf("%s: %+v, %v", name, run, err)
			}
		}
		if _, err := target.Steady(t.Context(), 4, 100, 0, time.Second); err == nil {
			t.Errorf("%s: more connections than are held are taken", name)
		}
		release()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := target.Steady(ended, 1, 1000, 0, time.Hour); err == nil {
			t.Errorf("%s: a loop that was ended goes on", name)
		}
	}
}

func TestRatiosOfRounds(t *testing.T) {
	of, to := []time.Duration{2, 8, 9}, []time.Duration{1, 1, 9}
	if got := PairedRatio(of, to); got != 2 {
		t.Errorf("the median is %v instead of 2", got)
	}
	if got := MeanRatio(of, to); math.Abs(got-2.52) > 0.01 {
		t.Errorf("the geometric mean is %v instead of the third root of 16", got)
	}
}

func TestBatchesAreAnsweredWhole(t *testing.T) {
	_, grpc := floors(t, bytes.Repeat([]byte("x"), 5_800))
	if _, err := grpc.Batch(t.Context(), 500); err != nil {
		t.Error(err)
	}
}

func TestFilledFoldersTakeChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a store")
	}
	folder := t.TempDir()
	if err := Fill(t.Context(), []string{fillCommand, folder, "600", "2", "20"}); err != nil {
		t.Fatal(err)
	}
	changes, err := MeasureChanges(t.Context(), folder, 2, 700)
	if err != nil || len(changes.One) != 2 || changes.Upload <= 0 {
		t.Errorf("%+v, %v", changes, err)
	}
}

func TestUploadListsAreForTheTestEndpoint(t *testing.T) {
	lists, err := addAndRemove(50)
	if err != nil || len(lists) != 2 || bytes.Count(lists[0], []byte(`"idPsp"`)) != 50 || bytes.Count(lists[1], []byte(`{"id":`)) != 50 {
		t.Errorf("%d lists, %v", len(lists), err)
	}
}

func TestFloorsAreProcessesOfTheirOwn(t *testing.T) {
	if !IsFloor([]string{floorCommand, "a", "b"}) || IsFloor([]string{"-rounds", "a", "b"}) || IsFill([]string{"-rounds"}) {
		t.Error("the arguments of a floor are mistaken")
	}
}
