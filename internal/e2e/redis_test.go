package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"badgebridge/internal/testenv/postgres"
	"badgebridge/internal/testenv/redis"
)

func TestTheSameProgramOnPostgreSQLAndRedisWhichIsStoppedInTheMiddle(t *testing.T) {
	cache := redis.Start(t)
	w := NewWorld(t, WorldOptions{
		Site: StartSimulatedSite(t), DatabaseURL: postgres.Start(t),
		Env: map[string]string{"BADGEBRIDGE_REDIS_URL": cache.URL},
	})
	TellStory(t, w, Turns{
		BeforeClaim: func(t *testing.T, member *Browser, award string) {
			w.readiness(t, "redis", "ok")
			cache.Stop()
			for _, address := range []string{"/", "/badges/" + award, "/me", "/verify"} {
				if p := member.Open(t, address); p.Status != http.StatusOK {
					t.Errorf("with Redis stopped %s answers %d", address, p.Status)
				}
			}
			if p := member.Open(t, "/"); p.find(t, "/logout") == nil {
				t.Error("with Redis stopped the member is signed out")
			}
			w.readiness(t, "redis", "degraded")
		},
		AfterClaim: func(t *testing.T, member *Browser, award string) {
			// The claim has worked. Another person can even sign in, and the admin work.
			NewBrowser(t, w.Gateway).SignIn(t, w.Mail, bo)
			w.Admin.Must(t, "/admin")
			w.Admin.Remote(t, string(credlyName), "check")
			w.readiness(t, "redis", "degraded")
			cache.Start()
			w.readiness(t, "redis", "ok")
			member.Must(t, "/badges/"+award)
		},
	})
}

func TestAFrozenRedisMakesNobodyWaitForLong(t *testing.T) {
	cache := redis.Start(t)
	w := NewWorld(t, WorldOptions{Site: StartSimulatedSite(t), Env: map[string]string{"BADGEBRIDGE_REDIS_URL": cache.URL}})
	w.SetUp(t, map[string]string{"a_to_b": "never", "b_to_a": "never"})
	cache.Freeze()
	defer cache.Thaw()
	for _, address := range []string{"/", "/admin", "/admin/remotes/credly"} {
		w.Admin.Must(t, address)
	}
	w.readiness(t, "redis", "degraded")
	cache.Thaw()
	w.readiness(t, "redis", "ok")
}

// readiness waits until /readyz says this of a part. It always answers 200: a
// gateway without Redis can work.
func (w *World) readiness(t testing.TB, part, status string) {
	t.Helper()
	Eventually(t, 30*time.Second, "/readyz says that "+part+" is "+status, func() error {
		p := Fetch(t, w.Gateway, "/readyz", "application/json")
		var got struct {
			Status string `json:"status"`
			Checks []struct{ Name, Status, Message string }
		}
		if err := json.Unmarshal(p.Body, &got); err != nil {
			return err
		}
		for _, c := range got.Checks {
			if c.Name != part {
				continue
			}
			if c.Status != status || p.Status != http.StatusOK {
				return fmt.Errorf("%d %s", p.Status, p.Body)
			}
			if status == "degraded" && (c.Message == "" || got.Status != "degraded") {
				return fmt.Errorf("it does not say why: %s", p.Body)
			}
			return nil
		}
		return errors.New("it says nothing: " + string(p.Body))
	})
}
