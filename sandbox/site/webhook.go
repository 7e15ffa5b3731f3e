package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// event is a webhook that is still to be sent.
type event struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Entry    int64     `json:"entry,omitempty"`
	Attempts int       `json:"attempts"`
	Due      time.Time `json:"due"`
}

// enqueue adds a webhook where a gateway wants one. The caller holds mu.
func (s *Site) enqueue(kind string, entry int64) {
	if p := s.st.Pairing; p == nil || p.WebhookURL == "" {
		return
	}
	const most = 1000 // a hint more or less matters little, memory does
	if len(s.st.Queue) >= most {
		s.st.Queue = s.st.Queue[1:]
	}
	s.st.Queue = append(s.st.Queue, event{ID: token(), Kind: kind, Entry: entry, Due: s.cfg.Now()})
}

// poke wakes the sender.
func (s *Site) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliver sends webhooks until ctx ends.
func (s *Site) deliver(ctx context.Context) {
	defer close(s.stopped)
	for {
		pause := s.round(ctx, false)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round sends what is due, or everything, oldest first, and says when the next
// is due.
func (s *Site) round(ctx context.Context, all bool) time.Duration {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	waiting := slices.Clone(s.st.Queue)
	s.mu.Unlock()
	for _, e := range waiting {
		if ctx.Err() != nil || !all && e.Due.After(s.cfg.Now()) {
			continue
		}
		err := s.send(ctx, e)
		s.mu.Lock()
		if i := slices.IndexFunc(s.st.Queue, func(q event) bool { return q.ID == e.ID }); i >= 0 {
			if err == nil {
				s.st.Queue = slices.Delete(s.st.Queue, i, i+1)
			} else {
				q := &s.st.Queue[i]
				q.Due = s.cfg.Now().Add(min(s.cfg.RetryAfter<<min(q.Attempts, 10), time.Minute))
				q.Attempts++
				s.cfg.Log.Warn("a webhook of the simulated site failed", "event", e.Kind, "attempt", q.Attempts, "error", err)
			}
			if err := s.save(); err != nil {
				s.cfg.Log.Error("the simulated site can't keep its state", "error", err)
			}
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := time.Hour
	for _, e := range s.st.Queue {
		pause = min(pause, max(e.Due.Sub(s.cfg.Now()), 10*time.Millisecond))
	}
	return pause
}

// send posts one event. A clone keeps silent: its pairing is the original's.
func (s *Site) send(ctx context.Context, e event) error {
	s.mu.Lock()
	p, uuid, home := s.st.Pairing, s.st.UUID, s.st.Home
	s.mu.Unlock()
	if p == nil || p.WebhookURL == "" {
		return nil
	}
	if p.UUID != uuid || p.Home != home {
		return fmt.Errorf("this is %s, the pairing is that of %s", home, p.Home)
	}
	message := map[string]any{"id": e.ID, "site_uuid": uuid, "home_url": home, "kind": e.Kind}
	if e.Entry != 0 {
		message["entry_id"] = e.Entry
	}
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	p.sign(request, s.cfg.Now(), body)
	request.Header.Set("Badgebridge-Site", uuid)
	request.Header.Set("Badgebridge-Home", home)
	response, err := s.cfg.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) //nolint:errcheck // only so that the connection can be used again
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the gateway answered %d", response.StatusCode)
	}
	return nil
}
