package wordpress

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"badgebridge/adapters"
)

const maxWebhook = 64 << 10 // bytes; an event has a few hundred

// ParseWebhook implements adapters.Notifier. It knows neither method nor address
// of the call: the method is POST, and the signed path is the configuration's
// webhook_path. ErrUnauthorized when the signature is not the pairing's;
// ErrIdentity when the event comes from another site than the paired one.
//
// The event names an entry but not its fingerprint, so that a hint has no Ref:
// the caller reads the changes. A test event gives no hint.
func (a *Adapter) ParseWebhook(h http.Header, body []byte) ([]adapters.Hint, error) {
	const op = "read a webhook"
	refuse := func(kind error, words string, err error) error {
		return &adapters.Error{Op: op, Kind: kind, Words: words, Err: err}
	}
	if a.cfg.WebhookPath == "" {
		return nil, refuse(adapters.ErrUnauthorized, "No webhook was agreed with this site: webhook_path is not set.", nil)
	}
	if len(body) > maxWebhook {
		return nil, refuse(adapters.ErrRejected, "The event is too large.", nil)
	}
	now := a.now()
	err := a.verify(h, body, Expected{
		Method: http.MethodPost, Target: a.cfg.WebhookPath, Now: now,
		Fresh: func(nonce string) bool { return a.nonces.fresh(nonce, now) },
	})
	if err != nil {
		return nil, refuse(adapters.ErrUnauthorized, "", err)
	}
	var event wireEvent
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, refuse(adapters.ErrRejected, "The event is no JSON object of the contract.", err)
	}
	if !a.pinned(event.SiteUUID, event.HomeURL) {
		return nil, refuse(adapters.ErrIdentity, a.anotherSite(event.SiteUUID, event.HomeURL), nil)
	}
	if event.Kind == "test" {
		return nil, nil
	}
	return []adapters.Hint{{ID: a.clean(event.ID)}}, nil
}

// nonceMemory remembers the nonces of genuine calls for NonceLife. It is one
// process's: a webhook that is replayed at another replica, or after a restart,
// makes us look for changes once more and nothing else.
type nonceMemory struct {
	mu   sync.Mutex
	seen map[string]time.Time
	next time.Time // when to throw out old ones
}

func (m *nonceMemory) fresh(nonce string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[string]time.Time)
	}
	if now.After(m.next) {
		for old, at := range m.seen {
			if now.Sub(at) > NonceLife {
				delete(m.seen, old)
			}
		}
		m.next = now.Add(NonceLife / 10)
	}
	if at, ok := m.seen[nonce]; ok && now.Sub(at) <= NonceLife {
		return false
	}
	m.seen[nonce] = now
	return true
}
