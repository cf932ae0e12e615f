//go:build unix

package main

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy passes TCP connections on, and can fail as a network does.
type proxy struct {
	listener net.Listener
	target   string
	// blackhole swallows what is sent, without a word; delay holds every piece back for so many nanoseconds; flaky
	// cuts the connection on one piece of eight.
	blackhole, flaky atomic.Bool
	delay            atomic.Int64
	mu               sync.Mutex
	open             map[net.Conn]bool
	all              sync.WaitGroup
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]bool{}}
	p.all.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.DialTimeout("tcp", p.target, time.Second)
		if err != nil {
			_ = from.Close()
			continue
		}
		p.mu.Lock()
		p.open[from], p.open[to] = true, true
		p.mu.Unlock()
		p.all.Go(func() { p.pass(from, to) })
		p.all.Go(func() { p.pass(to, from) })
	}
}

func (p *proxy) pass(from, to net.Conn) {
	defer func() {
		_, _ = from.Close(), to.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, from)
		delete(p.open, to)
	}()
	piece := make([]byte, 64<<10)
	swallowed := false
	for {
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		if d := p.delay.Load(); d > 0 {
			time.Sleep(time.Duration(d))
		}
		if p.blackhole.Load() {
			swallowed = true
			continue
		}
		if swallowed || p.flaky.Load() && rand.IntN(8) == 0 {
			return // bytes are missing: the connection cannot go on
		}
		if _, err := to.Write(piece[:n]); err != nil {
			return
		}
	}
}

// drop cuts every connection.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// heal ends the faults. Connections on which bytes were lost are cut.
func (p *proxy) heal() {
	if p.blackhole.Swap(false) {
		p.drop()
	}
	p.delay.Store(0)
	p.flaky.Store(false)
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.drop()
	p.all.Wait()
}
