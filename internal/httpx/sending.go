package httpx

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
)

// Sending watches whether a request can have left this machine. The zero value is
// ready; it watches one request.
type Sending struct{ asked, got atomic.Bool }

// Watch gives the context that the request is to be made with.
func (s *Sending) Watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },
	})
}

// MayHaveLeft is false only when it is sure that nothing was sent: no connection
// was made, or our own limits held the call back. err is the request's.
func (s *Sending) MayHaveLeft(err error) bool {
	for _, held := range []error{ErrCircuitOpen, ErrRateWait, ErrBlocked} {
		if errors.Is(err, held) {
			return false
		}
	}
	return s.got.Load() || !s.asked.Load()
}
