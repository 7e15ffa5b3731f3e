package credly

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
)

// retryFor is how long a webhook is tried again, with growing pauses.
const retryFor = 25 * 24 * time.Hour

// enqueue adds a webhook that is due at once.
func (s *Sim) enqueue(e *Event, to string) {
	d := &Delivery{EventID: e.ID, URL: to, NextAt: e.OccurredAt}
	s.st.Deliveries = append(s.st.Deliveries, d)
	s.st.queue = append(s.st.queue, d)
}

// kick delivers due webhooks in the background.
func (s *Sim) kick() {
	s.mu.Lock()
	due := s.due() != nil
	if due {
		s.pool.Add(1)
	}
	s.mu.Unlock()
	if due {
		go func() {
			defer s.pool.Done()
			s.Deliver(context.Background())
		}()
	}
}

func (s *Sim) due() *Delivery {
	now := s.now()
	var found *Delivery
	for _, d := range s.st.queue {
		if !d.NextAt.After(now) {
			found = d
			if !s.opt.WebhooksReversed {
				break
			}
		}
	}
	return found
}

// Deliver sends every webhook that is due and returns when none is.
func (s *Sim) Deliver(ctx context.Context) {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	for ctx.Err() == nil {
		s.mu.Lock()
		d := s.due()
		var body []byte
		if d != nil {
			body, _ = json.Marshal(hook(s.st.events[d.EventID]))
		}
		s.mu.Unlock()
		if d == nil {
			return
		}
		status, err := s.post(ctx, d.URL, body)
		s.mu.Lock()
		s.delivered(d, status, err)
		s.save()
		s.mu.Unlock()
	}
}

// delivered notes how an attempt went and when the next one is.
func (s *Sim) delivered(d *Delivery, status int, err error) {
	now := s.now()
	d.Attempts++
	d.Status, d.Error = status, ""
	if err != nil {
		d.Error = err.Error()
	}
	d.Done = status == http.StatusOK || s.opt.WebhookAny2xx && status/100 == 2
	pause := s.opt.WebhookPause
	if pause <= 0 {
		pause = time.Minute
	}
	d.NextAt = now.Add(min(pause<<min(d.Attempts-1, 11), 24*time.Hour))
	d.GivenUp = !d.Done && d.NextAt.After(s.st.events[d.EventID].OccurredAt.Add(retryFor))
	if d.Done || d.GivenUp {
		s.st.queue = slices.DeleteFunc(s.st.queue, func(o *Delivery) bool { return o == d })
	}
}

func (s *Sim) post(ctx context.Context, to string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.cfg.Webhooks.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	return res.StatusCode, nil
}
