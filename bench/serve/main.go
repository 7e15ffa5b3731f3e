// Command serve measures the running gateway: how long it takes to its first
// answer, how much memory it holds then, and how fast it serves a hosted
// assertion beside nginx, which serves the same bytes as a file, on the same
// machine, in the same run, turn by turn.
//
//	go run ./bench/serve -binary bin/badgebridge
//
// It needs nginx and wrk. What the gateway's start and memory are measured on is
// the embedded default without the demo: the simulators of the demo live in the
// same process and would be measured with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("binary", "bin/badgebridge", "the gateway's binary")
	rounds := flag.Int("rounds", 3, "how often each server takes its turn")
	turn := flag.Duration("turn", 4*time.Second, "how long a turn is")
	starts := flag.Int("starts", 5, "how many starts are measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx, *binary, *rounds, *starts, *turn); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, binary string, rounds, starts int, turn time.Duration) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "badgebridge-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return errors.Join(measureStart(ctx, binary, dir, starts), measureServing(ctx, binary, dir, rounds, turn))
}

// measureStart prints the time to the first 200 on /healthz, on a fresh data
// folder and on one that is there already, and the memory after first requests.
func measureStart(ctx context.Context, binary, dir string, starts int) error {
	var fresh, existing, memory []float64
	for i := range starts {
		data := filepath.Join(dir, fmt.Sprintf("start-%d", i))
		for _, into := range []*[]float64{&fresh, &existing} {
			g, took, err := startGateway(ctx, binary, data, false)
			if err != nil {
				return err
			}
			*into = append(*into, float64(took)/float64(time.Millisecond))
			for _, path := range []string{"/healthz", "/readyz", "/", "/verify"} {
				if _, _, err := g.get(ctx, path); err != nil {
					g.stop()
					return err
				}
			}
			rss, err := residentMiB(g.cmd.Process.Pid)
			g.stop()
			if err != nil {
				return err
			}
			memory = append(memory, rss)
		}
	}
	fmt.Printf("start to the first answer, fresh data     %6.0f ms (median of %d; %s)\n", median(fresh), starts, spread(fresh))
	fmt.Printf("start to the first answer, existing data  %6.0f ms (median of %d; %s)\n", median(existing), starts, spread(existing))
	fmt.Printf("resident memory after the first requests  %6.1f MiB (median; %s)\n", median(memory), spread(memory))
	return nil
}

// measureServing prints requests a second of gateway and nginx, and their ratio.
func measureServing(ctx context.Context, binary, dir string, rounds int, turn time.Duration) error {
	data := filepath.Join(dir, "demo")
	g, _, err := startGateway(ctx, binary, data, true)
	if err != nil {
		return err
	}
	defer g.stop()
	path, err := claimedAssertion(ctx, data)
	if err != nil {
		return err
	}
	body, kind, err := g.get(ctx, path)
	if err != nil {
		return err
	}
	n, err := startNginx(ctx, dir, body, kind)
	if err != nil {
		return err
	}
	defer n.stop()
	if theirs, _, err := n.get(ctx, "/assertion"); err != nil || string(theirs) != string(body) {
		return errors.Join(errors.New("nginx does not serve the same bytes"), err)
	}
	var ours, theirs, ratios []float64
	for range rounds {
		// One after the other, so that each has the machine to itself.
		a, err := load(ctx, g.base+path, turn)
		if err != nil {
			return err
		}
		b, err := load(ctx, n.base+"/assertion", turn)
		if err != nil {
			return err
		}
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, a/b)
	}
	fmt.Printf("hosted assertion (%d bytes), wrk in turns of %s: gateway %.0f/s, nginx %.0f/s\n", len(body), turn, median(ours), median(theirs))
	fmt.Printf("gateway / nginx                           %6.2f (median of %d; %s)\n", median(ratios), rounds, spread(ratios))
	return nil
}
