package rpc

import (
	"math"
	"net/http"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"gec/api/gecv1"
	"gec/api/problem"
)

// Server is a gRPC server of the native contract, with the gRPC health service and server reflection.
// Serve, GracefulStop and Stop are those of grpc.Server.
type Server struct {
	*grpc.Server
	health *health.Server
	// stopping is closed when the server is told to stop, so that those who watch are let go.
	stopping chan struct{}
	stop     sync.Once
}

// GracefulStop stops taking calls, ends those that watch, and returns when all others are answered.
func (s *Server) GracefulStop() {
	s.stop.Do(func() { close(s.stopping) })
	s.Server.GracefulStop()
}

// New returns a server that is not ready yet and listens on nothing.
func New(o Options) *Server {
	o = o.withDefaults()
	i := &interceptor{log: o.Log, observe: observer(o.Observe), gate: o.Gate, journal: o.Journal, methods: map[string]bool{}}
	// Last, so that overload turns such calls away, too.
	options := append(append(i.options(), o.GRPC...), grpc.UnknownServiceHandler(unknownMethod))
	s := &Server{Server: grpc.NewServer(options...), health: health.NewServer(), stopping: make(chan struct{})}
	q := newQuoting(o)
	s.RegisterService(quoteService(), newQuoteServer(q))
	a := authors{catalogue: o.Authors, now: o.Now}
	gecv1.RegisterCatalogueServiceServer(s.Server, &catalogueServer{quoting: q, authors: a, stopping: s.stopping})
	gecv1.RegisterBundleServiceServer(s.Server, &bundleServer{authors: a})
	gecv1.RegisterSubscriptionServiceServer(s.Server, &subscriptionServer{authors: a})
	grpc_health_v1.RegisterHealthServer(s.Server, s.health)
	reflection.Register(s.Server)
	for service, info := range s.GetServiceInfo() {
		for _, method := range info.Methods {
			i.methods["/"+service+"/"+method.Name] = true
		}
	}
	s.Ready(false)
	return s
}

// unknownMethod answers calls of methods that nobody serves with the code of grpc-go for these.
func unknownMethod(any, grpc.ServerStream) error {
	return problem.New(http.StatusNotFound, codes.Unimplemented, "There is no such method: server reflection lists those that there are")
}

// Ready says to the health service whether the node answers quotes: SERVING or NOT_SERVING, for the
// server as a whole and for each service. Calls are answered either way.
func (s *Server) Ready(ready bool) {
	state := grpc_health_v1.HealthCheckResponse_NOT_SERVING
	if ready {
		state = grpc_health_v1.HealthCheckResponse_SERVING
	}
	for _, service := range []string{
		"", gecv1.QuoteService_ServiceDesc.ServiceName, gecv1.CatalogueService_ServiceDesc.ServiceName,
		gecv1.BundleService_ServiceDesc.ServiceName, gecv1.SubscriptionService_ServiceDesc.ServiceName,
	} {
		s.health.SetServingStatus(service, state)
	}
}

// options are those of every server, stated in full so that a new version of grpc-go changes none.
func (i *interceptor) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.Creds(WithoutRapidReset(insecure.NewCredentials())), // those of Options.GRPC take their place
		grpc.MaxRecvMsgSize(RequestBytesMax),
		grpc.MaxSendMsgSize(ResponseBytesMax),
		grpc.MaxHeaderListSize(HeaderBytesMax),
		grpc.MaxConcurrentStreams(StreamsMax),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle:     15 * time.Minute,
			MaxConnectionAge:      math.MaxInt64, // a batch may take as long as it takes
			MaxConnectionAgeGrace: math.MaxInt64,
			Time:                  time.Minute,
			Timeout:               20 * time.Second,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: 10 * time.Second, PermitWithoutStream: true,
		}),
		// Takes some of the cost off a call (shared/performance.md).
		grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0))),
		// Stop returns once no handler looks at the catalogue any more, so that it can be closed.
		grpc.WaitForHandlers(true),
		grpc.ReadBufferSize(32 << 10),
		grpc.WriteBufferSize(32 << 10),
		grpc.ChainUnaryInterceptor(i.unary),
		grpc.ChainStreamInterceptor(i.stream),
	}
}
