package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// fdConn is a connection whose reads do not wait: they fail with errWait.
type fdConn struct{ fd int }

func (c fdConn) Read(into []byte) (int, error) {
	n, err := unix.Read(c.fd, into)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return 0, errWait
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write writes all. A request is shorter than what the system keeps for a connection whose answers are read, so that
// it hardly ever waits.
func (c fdConn) Write(all []byte) (written int, err error) {
	for written < len(all) {
		n, err := unix.Write(c.fd, all[written:])
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return written, err
			}
		case err != nil:
			return written, err
		default:
			written += n
		}
	}
	return written, nil
}

func (c fdConn) Close() error { return unix.Close(c.fd) }

// events are the connections of an open loop and the clock that it goes by. One thread serves them all, with three
// calls of the system for a call of the server: the client runs on the processors that are measured, and one with a
// goroutine and a timer for each connection takes as much of them as the server does.
type events struct {
	epoll, clock int
	callers      []caller
}

// newEvents dials so many connections to a target.
func (t *Target) newEvents(ctx context.Context, connections int) (_ *events, err error) {
	e := &events{epoll: -1, clock: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if e.clock, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return nil, err
	}
	if err := e.watch(e.clock, clockEvent); err != nil {
		return nil, err
	}
	for n := range connections {
		fd, err := dialFD(ctx, t.Address)
		if err != nil {
			return nil, err
		}
		c, err := t.speak(fdConn{fd})
		if err != nil {
			return nil, err
		}
		e.callers = append(e.callers, c)
		if err := e.watch(fd, int32(n)); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// clockEvent stands for the clock among the numbers of connections.
const clockEvent = -1

func (e *events) watch(fd int, number int32) error {
	return unix.EpollCtl(e.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: number})
}

func (e *events) close() error {
	closeAll(e.callers)
	var err error
	for _, fd := range []int{e.epoll, e.clock} {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	return err
}

// dialFD connects and takes the connection out of the hands of the Go runtime, which would look after it as well.
func dialFD(ctx context.Context, address string) (int, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	file, err := conn.(*net.TCPConn).File()
	if err = errors.Join(err, conn.Close()); err != nil {
		return 0, err
	}
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	return fd, errors.Join(err, file.Close())
}

// Steady asks at a rate, in calls per second, whether or not the server keeps up (open loop): every connection
// has its instants to ask at, evenly spread, and asks at once where it is late. What happens during the time of warming
// up is not counted. Errors: those of the first call that failed.
func (t *Target) Steady(ctx context.Context, connections int, perSecond float64, warmUp, measured time.Duration) (*Run, error) {
	e := t.heldEvents
	if e == nil {
		var err error
		if e, err = t.newEvents(ctx, connections); err != nil {
			return nil, err
		}
		defer func() { _ = e.close() }() // nothing is sent any more
	} else if len(e.callers) != connections {
		return nil, fmt.Errorf("%d connections are held, %d are needed", len(e.callers), connections)
	}
	s := steady{
		events: e, requests: t.Requests, grpc: t.GRPC, lines: make([]line, connections), run: Run{Took: measured},
		step: time.Duration(float64(time.Second) / perSecond), start: warmUp, end: warmUp + measured,
	}
	if err := s.loop(ctx); err != nil {
		return nil, fmt.Errorf("calls to %s: %w", t.Address, err)
	}
	return &s.run, nil
}

// strokeLeast is the time between two strokes of the clock at least. What is due in between is sent at the next one,
// and its latency counts from when it was due: a client that wakes for every single call takes the processors from the
// server.
const strokeLeast = 100 * time.Microsecond

// steady is an open loop under way. Its instants are told from its beginning.
type steady struct {
	*events
	requests         [][]byte
	grpc             bool
	step, start, end time.Duration
	lines            []line
	// next is the number of the call that is due next, underWay how many are not answered.
	next, underWay int
	run            Run
}

// line is one connection: how many calls it has sent, how many more are due, and the number of the one under way.
type line struct {
	sent, waiting int
	busy          bool
	call          int
}

func (s *steady) loop(ctx context.Context) error {
	stroke := unix.NsecToTimespec(int64(max(s.step, strokeLeast)))
	if err := unix.TimerfdSettime(s.clock, 0, &unix.ItimerSpec{Interval: stroke, Value: stroke}, nil); err != nil {
		return err
	}
	begin := time.Now()
	var strokes [8]byte
	happened := make([]unix.EpollEvent, len(s.lines)+1)
	for {
		now := time.Since(begin)
		if err := s.sendDue(now); err != nil {
			return err
		}
		if s.underWay == 0 && s.due(s.next) >= s.end {
			return unix.TimerfdSettime(s.clock, 0, &unix.ItimerSpec{}, nil)
		}
		n, err := unix.EpollWait(s.epoll, happened, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, event := range happened[:max(n, 0)] {
			if event.Fd == clockEvent {
				_, _ = unix.Read(s.clock, strokes[:]) // the clock goes on when it was read; what is due is told by the time
				continue
			}
			if err := s.receive(int(event.Fd), begin); err != nil {
				return err
			}
		}
	}
}

// due returns the instant of a call.
func (s *steady) due(call int) time.Duration { return time.Duration(call) * s.step }

// sendDue sends the calls that are due, but those whose connection is busy.
func (s *steady) sendDue(now time.Duration) error {
	for ; s.due(s.next) <= now && s.due(s.next) < s.end; s.next++ {
		n := s.next % len(s.lines)
		s.lines[n].waiting++
		s.underWay++
		if !s.lines[n].busy {
			if err := s.send(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends the next call of a connection.
func (s *steady) send(n int) error {
	l := &s.lines[n]
	l.call = l.sent*len(s.lines) + n
	l.busy, l.sent, l.waiting = true, l.sent+1, l.waiting-1
	// Connections take the requests in turn, each from another one on.
	return s.callers[n].send(s.requests[(n*7+l.sent)%len(s.requests)])
}

// receive takes in what has come on a connection.
func (s *steady) receive(n int, begin time.Time) error {
	l := &s.lines[n]
	if !l.busy && !s.grpc {
		return fmt.Errorf("connection %d: the server ended it, or answered what was not asked", n)
	}
	if _, err := s.callers[n].receive(); errors.Is(err, errWait) {
		return nil
	} else if err != nil {
		return fmt.Errorf("connection %d: %w", n, err)
	}
	if due := s.due(l.call); due >= s.start {
		s.run.Calls++
		s.run.Latency.Add(time.Since(begin) - due)
	}
	l.busy = false
	s.underWay--
	if l.waiting > 0 {
		return s.send(n)
	}
	return nil
}
